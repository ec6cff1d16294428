"""Where a model is called: the address, LiteLLM's name for it, and the key, looked up at the moment of the call.

Keys live in the environment or in `.streamlit/secrets.toml`, never in the database and never in a ModelSpec.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.catalog.models import ModelSpec, ProviderSpec
from core.errors import ErrorClass, ProviderError, SettingsError

Keys = Callable[[str], str | None]
LocalAddress = Callable[[], Awaitable[tuple[str, str]]]

# An OpenAI-compatible server of one's own takes any key. Without one the client library would read OPENAI_API_KEY
# from the environment and hand it to that server.
NO_KEY = "no-key"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One resolved address. `model` is LiteLLM's name, "<kind>/<upstream>"."""

    model: str
    api_base: str | None
    api_key: str | None = field(repr=False)  # a key must not end up in a log or a traceback


async def resolve_endpoint(spec: ModelSpec, *, keys: Keys, local: LocalAddress | None) -> Endpoint:
    """Look up where and with which key `spec` is called.

    `keys` gives the key held by an environment variable. `local` gives (api_base, api_key) of the model that ships
    with the app, waiting for it while it starts.

    Raises ProviderError: AUTHENTICATION when the key is missing, NOT_FOUND when the local model is off, and whatever
    `local` raises.
    """
    provider = spec.provider
    if provider.kind == "local":
        return await _local_endpoint(spec, local)
    return Endpoint(f"{provider.kind}/{spec.upstream}", provider.api_base, _key(provider, spec.label, keys))


def load_keys(secrets_file: Path) -> Keys:
    """Return the lookup of provider keys: the environment first, then the top-level strings of `secrets_file`.

    The environment is read at each call, the file once. An empty value counts as no key.

    Raises SettingsError when the file is there and cannot be read.
    """
    stored = _read_secrets(secrets_file)

    def key(name: str) -> str | None:
        return os.environ.get(name, "").strip() or stored.get(name, "").strip() or None

    return key


async def _local_endpoint(spec: ModelSpec, local: LocalAddress | None) -> Endpoint:
    if local is None:
        raise ProviderError(
            ErrorClass.NOT_FOUND,
            f"{spec.label} is switched off on this server.",
            next_step="Choose another model, or start the server with SWITCHBOARD_LOCAL_MODEL=on.",
        )
    api_base, api_key = await local()
    return Endpoint(f"openai/{spec.upstream}", api_base, api_key)


def _key(provider: ProviderSpec, label: str, keys: Keys) -> str | None:
    if provider.key_variable is None:
        return NO_KEY if provider.api_base else None
    key = keys(provider.key_variable)
    if key is None:
        raise ProviderError(
            ErrorClass.AUTHENTICATION,
            f"{label} cannot be called: the provider {provider.id} has no key.",
            next_step=f"Set {provider.key_variable} in the environment or in .streamlit/secrets.toml and restart, "
            "or choose another model.",
        )
    return key


def _read_secrets(secrets_file: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(secrets_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        # The parser's own words may quote the line, which may be a key.
        raise SettingsError(
            f"The secrets file {secrets_file} cannot be read.",
            next_step='Correct it: one NAME = "value" a line, readable by this user.',
            detail=type(error).__name__,
        ) from None
    return {name: value for name, value in content.items() if isinstance(value, str)}
