"""Ids sort by the moment they were made."""

from __future__ import annotations

import time
import uuid

from core.ids import new_id


def test_an_id_is_a_uuid_of_version_7():
    parsed = uuid.UUID(new_id())

    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_an_id_carries_its_moment():
    before = time.time_ns() // 1_000_000
    milliseconds = uuid.UUID(new_id()).int >> 80
    after = time.time_ns() // 1_000_000

    assert before <= milliseconds <= after


def test_ids_are_never_the_same():
    assert len({new_id() for _ in range(10_000)}) == 10_000
