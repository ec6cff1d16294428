from __future__ import annotations

import pytest

from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError, SettingsError
from core.providers.endpoints import NO_KEY, Endpoint, load_keys, resolve_endpoint


def spec(*, kind: str = "openai", api_base: str | None = None, key_variable: str | None = None) -> ModelSpec:
    provider = ProviderSpec(id="team", kind=kind, api_base=api_base, key_variable=key_variable)
    return ModelSpec(id="m", label="Model M", provider=provider, upstream="m-1")


def no_keys(_: str) -> str | None:
    return None


async def local() -> tuple[str, str]:
    return "http://127.0.0.1:1/v1", "random"


async def test_the_key_is_asked_for_by_the_providers_variable():
    asked: list[str] = []

    def keys(name: str) -> str:
        asked.append(name)
        return "secret"

    endpoint = await resolve_endpoint(spec(kind="anthropic", key_variable="ANTHROPIC_API_KEY"), keys=keys, local=None)

    assert Endpoint("anthropic/m-1", None, "secret") == endpoint
    assert asked == ["ANTHROPIC_API_KEY"]


async def test_a_missing_key_names_the_variable_and_the_provider():
    with pytest.raises(ProviderError) as caught:
        await resolve_endpoint(spec(key_variable="TEAM_KEY"), keys=no_keys, local=None)

    assert caught.value.error_class == ErrorClass.AUTHENTICATION
    assert caught.value.user_message == "Model M cannot be called: the provider team has no key."
    assert "TEAM_KEY" in caught.value.next_step


async def test_an_own_server_without_a_key_gets_a_dummy_one():
    """Else the client library would hand it OPENAI_API_KEY from the environment."""
    endpoint = await resolve_endpoint(spec(api_base="http://127.0.0.1:8000/v1"), keys=no_keys, local=None)

    assert Endpoint("openai/m-1", "http://127.0.0.1:8000/v1", NO_KEY) == endpoint


async def test_a_provider_that_finds_its_own_credentials_gets_none():
    endpoint = await resolve_endpoint(spec(kind="bedrock"), keys=no_keys, local=None)

    assert endpoint.api_key is None


async def test_the_local_model_is_asked_where_it_is():
    endpoint = await resolve_endpoint(spec(kind="local"), keys=no_keys, local=local)

    assert Endpoint("openai/m-1", "http://127.0.0.1:1/v1", "random") == endpoint


async def test_the_local_model_switched_off_is_not_found():
    with pytest.raises(ProviderError, match="switched off") as caught:
        await resolve_endpoint(spec(kind="local"), keys=no_keys, local=None)

    assert caught.value.error_class == ErrorClass.NOT_FOUND


def test_a_key_does_not_show_in_the_endpoints_text():
    assert "secret" not in repr(Endpoint("openai/m", None, "secret"))


def test_keys_come_from_the_environment_before_the_file(tmp_path, monkeypatch):
    file = tmp_path / "secrets.toml"
    file.write_text('IN_BOTH = "file"\nIN_FILE = " file "\nEMPTY = ""\nNUMBER = 1\n[auth]\nIN_TABLE = "file"\n')
    monkeypatch.setenv("IN_BOTH", "environment")
    monkeypatch.setenv("IN_FILE", "")
    key = load_keys(file)

    found = {name: key(name) for name in ("IN_BOTH", "IN_FILE", "EMPTY", "NUMBER", "IN_TABLE", "NOWHERE")}

    nothing = dict.fromkeys(("EMPTY", "NUMBER", "IN_TABLE", "NOWHERE"))
    assert {"IN_BOTH": "environment", "IN_FILE": "file", **nothing} == found


def test_the_environment_is_read_at_each_call(tmp_path, monkeypatch):
    key = load_keys(tmp_path / "absent.toml")
    monkeypatch.setenv("LATE_KEY", "late")

    assert key("LATE_KEY") == "late"


@pytest.mark.parametrize("content", [b'KEY = "sk-not-closed', b"\xff\xfe"])
def test_a_broken_secrets_file_is_named_and_not_quoted(tmp_path, content):
    file = tmp_path / "secrets.toml"
    file.write_bytes(content)

    with pytest.raises(SettingsError, match="cannot be read") as caught:
        load_keys(file)

    assert "sk-not" not in caught.value.detail + str(caught.value)
