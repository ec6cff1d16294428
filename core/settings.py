"""The settings of one process, read once at the start from `SWITCHBOARD_*` variables.

An unknown or wrong variable stops the start with a sentence that names it: a typo in `SWITCHBOARD_STROE` must not
quietly open an empty store.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from core.errors import SettingsError

PREFIX = "SWITCHBOARD_"
_ON = {"titles": "on"}
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
    redis: str = Field(default="", description="shared circuits and counters of several replicas")
    stall_s: float = Field(default=30.0, gt=0, le=3600, description="seconds without a byte until a stream is broken")

    @field_validator("admin_password")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        # The same rule as the set-up page (core.accounts.users).
        if value is not None and len(value.get_secret_value()) < 8:  # noqa: PLR2004 - said in the message
            raise ValueError("a password has at least 8 characters")
        return value

    @field_validator("redis")
    @classmethod
    def _one_process(cls, value: str) -> str:
        if value:
            raise ValueError("this version runs as one process and shares nothing")
        return value

    @property
    def store_url(self) -> str:
        """The store's URL, with the default filled in."""
        return self.store or f"duckdb:{self.data_dir / 'switchboard.duckdb'}"


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
    field = str(first["loc"][0])
    variable = f"{PREFIX}{field.upper()}"
    # A password must not end up in a terminal or a log.
    held = "" if field == "admin_password" else f" (it is {first['input']!r})"
    what = Settings.model_fields[field].description
    return SettingsError(
        f"{variable} is wrong{held}: {_WORDS.get(first['type']) or _sentence(first['msg'])}.",
        next_step=f"It sets: {what}. Correct or unset it.",
    )


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").lower()
