"""The settings of one process, read once at the start from `SWITCHBOARD_*` variables.

An unknown or wrong variable stops the start with a sentence that names it: a typo in `SWITCHBOARD_STROE` must not
quietly open an empty store.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from core.errors import SettingsError

PREFIX = "SWITCHBOARD_"
_SECRET = frozenset({"admin_password", "session_secret", "redis", "store"})
_PREFACE = "Value error, "
_ON = {"titles": "on"}
# What "every address" is called, and where it is reached on this machine.
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound to
_WORDS = {"int_parsing": "expected a whole number", "float_parsing": "expected a number"}


class Settings(BaseModel):
    """Every setting with its default. Frozen: what was read at the start holds until the stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(default=8501, ge=1, le=65535, description="port to listen on")
    data_dir: Path = Field(default=Path("data"), description="folder of the files made while running")
    store: str = Field(default="", description="where the tables live: duckdb:PATH or postgresql://...")
    models: Path = Field(default=Path("data/models.yaml"), description="the registry file")
    admin_password: SecretStr | None = Field(default=None, description="makes the first user `admin`")
    local_model: Literal["on", "off"] = Field(default="on", description="the model that ships with the app")
    probes: Literal["on", "free", "off"] = Field(default="on", description="asking idle models whether they are there")
    # Off for a script or a test that builds its own Settings: it makes no call that nobody asked for.
    titles: Literal["on", "off"] = Field(default="off", description="titles of conversations by a cheap model")
    oidc_groups: str = Field(default="", description="the identity provider's claim that groups follow, such as groups")
    redis: SecretStr | None = Field(default=None, description="what replicas share circuits and counters through")
    session_secret: SecretStr | None = Field(
        default=None, description="the key that signs sessions, 64 hexadecimal digits; default: made in the data dir"
    )
    files: Path | None = Field(default=None, description="folder of attached files; default: in the data dir")
    drain_s: float = Field(default=15.0, ge=0, le=3600, description="seconds that running answers get at SIGTERM")
    stall_s: float = Field(default=30.0, gt=0, le=3600, description="seconds without a byte until a stream is broken")

    @field_validator("admin_password")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        # The same rule as the set-up page (core.accounts.users).
        if value is not None and len(value.get_secret_value()) < 8:  # noqa: PLR2004 - said in the message
            raise ValueError("a password has at least 8 characters")
        return value

    @field_validator("session_secret")
    @classmethod
    def _whole_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch("[0-9a-f]{64}", value.get_secret_value()):
            raise ValueError("expected 64 hexadecimal digits, as `openssl rand -hex 32` makes them")
        return value

    @field_validator("redis")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
                raise ValueError("expected redis://HOST:PORT/NUMBER, or rediss:// with TLS")
        return value

    @model_validator(mode="after")
    def _something_to_share(self) -> Self:
        if self.redis is not None and not self.shares_store:
            raise ValueError("redis: it is for replicas, and those share a store: set SWITCHBOARD_STORE too")
        return self

    @property
    def store_url(self) -> str:
        """The store's URL, with the default filled in."""
        return self.store or f"duckdb:{self.data_dir / 'switchboard.duckdb'}"

    @property
    def shares_store(self) -> bool:
        """Whether other processes may use the same store. A DuckDB file belongs to one process."""
        return self.store_url.startswith(("postgresql:", "postgres:"))

    @property
    def files_dir(self) -> Path:
        """The folder of attached files, with the default filled in."""
        return self.files or self.data_dir / "attachments"


def reachable_host(host: str) -> str:
    """Where something that listens on `host` is reached on this machine."""
    return _WILDCARDS.get(host, host)


def address(host: str, port: int) -> str:
    """The URL of something that listens on `host`, to show or to ask."""
    reachable = reachable_host(host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings.

    Raises SettingsError naming the variable, what it held and what it takes.
    """
    given = os.environ if environ is None else environ
    values = {name.removeprefix(PREFIX).lower(): value for name, value in given.items() if name.startswith(PREFIX)}
    _refuse_unknown(values)
    try:
        return Settings.model_validate(_ON | {name: value for name, value in values.items() if value})
    except ValidationError as error:
        raise _explain(error) from error


def _refuse_unknown(values: Mapping[str, str]) -> None:
    for name in values:
        if name not in Settings.model_fields:
            known = ", ".join(f"{PREFIX}{field.upper()}" for field in Settings.model_fields)
            raise SettingsError(f"{PREFIX}{name.upper()} is not a setting.", next_step=f"Known settings: {known}.")


def _explain(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False)[0]
    # What concerns several settings begins with the name of the one to look at.
    named, _, rest = str(first["msg"]).removeprefix(_PREFACE).partition(": ")
    field = str(first["loc"][0]) if first["loc"] else named
    variable = f"{PREFIX}{field.upper()}"
    # A password, in a URL as well, must not end up in a terminal or a log.
    held = "" if field in _SECRET else f" (it is {first['input']!r})"
    what = Settings.model_fields[field].description
    said = _WORDS.get(first["type"]) or (_sentence(first["msg"]) if first["loc"] else rest)
    return SettingsError(
        f"{variable} is wrong{held}: {said}.",
        next_step=f"It sets: {what}. Correct or unset it.",
    )


def _sentence(message: str) -> str:
    return message.removeprefix(_PREFACE).lower()
