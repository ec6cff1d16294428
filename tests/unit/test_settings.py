"""Settings: defaults, and a sentence naming the variable for everything wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import address, load_settings


def refusal(**environ):
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return str(caught.value)


def test_defaults():
    settings = load_settings({})

    assert (settings.host, settings.port, settings.local_model) == ("127.0.0.1", 8501, "on")
    assert settings.store_url == "duckdb:data/switchboard.duckdb"
    assert settings.models == Path("data/models.yaml")
    assert settings.admin_password is None


def test_the_store_follows_the_data_folder_unless_set():
    assert load_settings({"SWITCHBOARD_DATA_DIR": "/x"}).store_url == "duckdb:/x/switchboard.duckdb"
    assert load_settings({"SWITCHBOARD_STORE": "duckdb:/y.duckdb"}).store_url == "duckdb:/y.duckdb"


def test_an_empty_variable_counts_as_unset():
    assert load_settings({"SWITCHBOARD_PORT": "", "SWITCHBOARD_ADMIN_PASSWORD": ""}).port == 8501


def test_other_variables_are_none_of_its_business():
    assert load_settings({"PORT": "1", "OPENAI_API_KEY": "x"}).port == 8501


def test_a_typo_stops_the_start():
    message = refusal(SWITCHBOARD_STROE="duckdb:x")

    assert message.startswith("SWITCHBOARD_STROE is not a setting.")
    assert "SWITCHBOARD_STORE" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SWITCHBOARD_PORT", "http"),
        ("SWITCHBOARD_PORT", "0"),
        ("SWITCHBOARD_PORT", "65536"),
        ("SWITCHBOARD_PORT", "8501.5"),
        ("SWITCHBOARD_LOCAL_MODEL", "maybe"),
        ("SWITCHBOARD_STALL_S", "0"),
        ("SWITCHBOARD_STALL_S", "nan"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_held(name, value):
    message = refusal(**{name: value})

    assert message.startswith(f"{name} is wrong (it is {value!r})")
    assert "Correct or unset it." in message


def test_a_password_is_never_repeated():
    message = refusal(SWITCHBOARD_ADMIN_PASSWORD="hunter2")

    assert "SWITCHBOARD_ADMIN_PASSWORD is wrong" in message
    assert "hunter2" not in message
    assert "hunter22" not in repr(load_settings({"SWITCHBOARD_ADMIN_PASSWORD": "hunter22"}))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SWITCHBOARD_REDIS", "http://user:hunter2@cache", "expected redis://"),
        ("SWITCHBOARD_REDIS", "redis://:hunter2@cache:6379/0", "set switchboard_store too"),
        ("SWITCHBOARD_SESSION_SECRET", "hunter2", "64 hexadecimal digits"),
    ],
)
def test_a_wrong_secret_is_not_shown(name, value, said):
    message = refusal(**{name: value})

    assert message.startswith(f"{name} is wrong: ")
    assert said in message.lower()
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8501, "http://127.0.0.1:8501"),
        ("0.0.0.0", 80, "http://127.0.0.1:80"),  # noqa: S104 - a setting, nothing is bound
        ("::", 8501, "http://[::1]:8501"),
        ("::1", 8501, "http://[::1]:8501"),
        ("chat.example.com", 8501, "http://chat.example.com:8501"),
    ],
)
def test_the_address_to_show_can_be_opened(host, port, url):
    assert address(host, port) == url
