"""Identifiers: UUID version 7 as text, so that ids sort by creation time and are made without the database."""

from __future__ import annotations

import os
import time
import uuid
from datetime import UTC, datetime


def first_id_at(moment: datetime) -> str:
    """What every id made at `moment` (naive UTC) or later sorts behind."""
    digits = f"{int(moment.replace(tzinfo=UTC).timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def new_id() -> str:
    """A fresh UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, the rest random."""
    milliseconds = time.time_ns() // 1_000_000
    random_bits = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random_bits
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))
