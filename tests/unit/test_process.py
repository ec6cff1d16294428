"""The server process: its warm-up, its own health check."""

from __future__ import annotations

import asyncio
import gc

import pytest

from core.data_dir import prepare_data_dir
from core.errors import SettingsError
from ui import process

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_a_step_of_warming_up_that_fails_does_not_stop_the_others(caplog):
    done = []

    def fail():
        raise OSError("no such library")

    try:
        process.warm_up([lambda: done.append(1), fail], [lambda: done.append(2)], later_s=0).join(10)
    finally:
        gc.unfreeze()

    assert done == [1, 2]
    assert "A step of warming up failed" in caplog.text


async def test_it_waits_until_the_server_answers():
    answers = iter([BUSY, BUSY, OK])

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(next(answers))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        assert await process.until_answering("127.0.0.1", server.sockets[0].getsockname()[1])
    assert next(answers, None) is None


def test_a_data_folder_is_made_and_left_empty(tmp_path):
    prepare_data_dir(tmp_path / "a" / "b")

    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match="cannot be written") as caught:
        prepare_data_dir(tmp_path / "file" / "data")
    assert "SWITCHBOARD_DATA_DIR" in caught.value.next_step


@pytest.mark.parametrize(("asked", "code"), [(0, 0), (None, 0), ("in words", 0), (3, 3)])
def test_being_asked_to_stop_is_an_orderly_end(asked, code):
    def main():
        raise SystemExit(asked)

    assert process.run_to_end(main) == code


def test_the_exit_code_is_that_of_the_main_function():
    assert process.run_to_end(lambda: 2) == 2
