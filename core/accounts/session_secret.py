"""The key that signs sessions: made once, kept in the data dir, readable by nobody else."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from pydantic import SecretStr

from core.errors import SettingsError

FILE_NAME = "session_secret"
_FORM = re.compile(r"[0-9a-f]{64}")  # 32 bytes, as HS256 asks for (RFC 7518, section 3.2)


def load_session_secret(data_dir: Path, *, given: SecretStr | None = None) -> str:
    """The key of this installation as 64 hexadecimal digits: the one `given`, else one made on first use and kept.

    Replicas on machines of their own are all given the same. Raises SettingsError when it cannot be made or read, can
    be read by others and that cannot be mended, or is damaged.
    """
    if given is not None:
        return given.get_secret_value()
    path = data_dir / FILE_NAME
    try:
        if not path.exists():
            _create(path)
        _close_to_others(path)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error)) from error
    if not _FORM.fullmatch(text):
        raise _unusable(path, "It does not hold 64 hexadecimal digits.")
    return text


def derived_key(secret: str, purpose: str) -> str:
    """A key for another purpose, 64 hexadecimal digits: it tells nothing about the one it comes from."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        # A link appears complete or not at all, and of two processes only one wins: the other reads the winner's key.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def _close_to_others(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _unusable(path: Path, detail: str) -> SettingsError:
    return SettingsError(
        f"The key that signs sessions, {path}, cannot be used.",
        next_step="Make it readable and writable for this user only (chmod 600), or delete it: "
        "a new one is made and everybody signs in again.",
        detail=detail,
    )
