"""Passwords: the rules, the hash, and a comparison that takes the same time for a name that does not exist."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

import bcrypt

from core.errors import AccountError

MINIMUM_CHARACTERS = 8
MAXIMUM_BYTES = 72  # bcrypt reads no further
ROUNDS = 12  # bcrypt's own default: 0.2-0.3 s of one core per guess on a 2024 server

# No characters that look like another one (0 O, 1 I L, U V) when read aloud or typed off a screen.
READABLE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def check_new_password(password: str) -> None:
    """Refuse a password that breaks the rules. Raises AccountError saying which rule."""
    if len(password) < MINIMUM_CHARACTERS:
        raise AccountError(
            f"That password is too short: it needs at least {MINIMUM_CHARACTERS} characters.",
            next_step="Choose a longer one.",
        )
    if len(_to_bytes(password)) > MAXIMUM_BYTES:
        raise AccountError(
            f"That password is too long: it may have at most {MAXIMUM_BYTES} bytes.",
            next_step="Choose a shorter one. Accented letters and emoji count for two to four bytes each.",
        )


def hash_password(password: str, *, rounds: int = ROUNDS) -> str:
    """The bcrypt hash of a password that keeps the rules. Raises AccountError when it does not."""
    check_new_password(password)
    return bcrypt.hashpw(_to_bytes(password), bcrypt.gensalt(rounds)).decode("ascii")


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether the password belongs to the hash. Without a hash the same work is done, and the answer is no."""
    given = _to_bytes(password)
    matches = bcrypt.checkpw(given[:MAXIMUM_BYTES], (password_hash or _hash_of_nobody()).encode("ascii"))
    return matches and password_hash is not None and len(given) <= MAXIMUM_BYTES


def generate_password() -> str:
    """A one-time password to hand over: three groups of four readable characters, 58 bits."""
    return readable_code(groups=3)


def readable_code(*, groups: int) -> str:
    """Random groups of four readable characters, such as `7KQF-92MD`: 19.6 bits a group."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(groups))


def _to_bytes(password: str) -> bytes:
    # The same characters reach us composed from one keyboard and decomposed from another (RFC 8265, section 4.2).
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@cache
def _hash_of_nobody() -> str:
    return bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(ROUNDS)).decode("ascii")
