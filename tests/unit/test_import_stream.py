"""Entries of an export are read one at a time; damage to one costs that one."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chat.import_sources import is_conversation
from core.chat.import_stream import read_entries
from core.errors import ImportRefused
from tests.support.exports import chatgpt, librechat, open_webui, roles_and_parts


class Slow(io.BytesIO):
    """A file that gives few bytes at a time, however many are asked for."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self.step = step

    def read(self, _size: int | None = -1) -> bytes:
        return super().read(self.step)


def values(text: str | bytes, *, step: int = 7) -> list:
    data = text.encode() if isinstance(text, str) else text
    return [entry.value for entry in read_entries(Slow(data, step), recognised=is_conversation)]


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_a_list_gives_its_items_whatever_the_pieces_it_comes_in(step):
    assert values('\ufeff [1, -23.5 , "a]", {"b": [2]}, null]\n', step=step) == [1, -23.5, "a]", {"b": [2]}, None]


def test_an_object_gives_its_conversations_or_itself():
    assert values('{"format": "x", "conversations": [1, 2], "ledger": [3]}') == [1, 2]
    assert values('{"conversationId": "c", "messages": []}') == [{"conversationId": "c", "messages": []}]
    assert values("[]") == values('{"conversations": []}') == []


@pytest.mark.parametrize("text", ["", "  ", "hello", "<html>", "\x00"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ImportRefused):
        values(text)


@pytest.mark.parametrize("broken", ["{", '{"a": tru}', '{"a": "b}', "nul", '{"a" 1}', "{]", '{"deep": ' + "[" * 5000])
def test_after_a_broken_item_the_next_conversation_is_read(broken):
    good = [chatgpt(name="one"), chatgpt(name="two")]
    text = f"[{json.dumps(good[0])}, {broken}, {json.dumps(good[1])}]"

    found = values(text, step=50)

    assert [value for value in found if value is not None] == good
    assert None in found


def test_wrong_bytes_cost_no_more_than_themselves():
    text = json.dumps([chatgpt(title="caf~"), chatgpt()]).encode().replace(b"~", b"\xe9")
    assert [value["title"] for value in values(text)] == ["caf\ufffd", "Trip"]


def test_a_file_cut_off_keeps_what_is_whole():
    text = json.dumps([chatgpt(name="one"), chatgpt(name="two")])
    assert values(text[:-40]) == [chatgpt(name="one"), None]


def test_a_number_of_thousands_of_digits_breaks_one_item_only():
    assert values(f'[{{"n": {"1" * 9000}}}, {json.dumps(chatgpt())}]', step=4096) == [None, chatgpt()]


GOOD = [chatgpt(name="one"), open_webui("two"), {**roles_and_parts(), "id": "three"}, chatgpt(name="four")]
# One byte gone at most: without both brackets at its end, an entry would properly hold the next one.
DAMAGE = st.tuples(st.floats(0, 1), st.integers(0, 1), st.binary(max_size=3))


@given(damage=DAMAGE, victim=st.integers(0, 3))
def test_damage_inside_one_entry_never_costs_another(damage, victim):
    texts = [json.dumps(entry).encode() for entry in GOOD]
    share, taken, put = damage
    place = int(share * (len(texts[victim]) - 1))
    texts[victim] = texts[victim][:place] + put + texts[victim][place + taken :]
    joined = b"[" + b", ".join(texts) + b"]"

    for whole in (joined, b'{"format": "switchboard", "conversations": ' + joined + b', "ledger": [{"id": "1"}]}'):
        found = values(whole, step=64)
        for number, entry in enumerate(GOOD):
            assert number == victim or entry in found


@given(data=st.binary(max_size=300), step=st.integers(1, 40))
def test_no_bytes_raise_anything_but_the_documented_error(data, step):
    for start in (b"", b"[", b'{"conversations": [{"mapping": {'):
        try:
            values(start + data, step=step)
        except ImportRefused:
            continue


def test_attached_files_come_after_the_conversations():
    text = '{"attachments": [1], "conversations": [2, 3], "ledger": [4], "attachments": [5, {"a": 6}]}'
    found = [
        (entry.section, entry.number, entry.value)
        for entry in read_entries(Slow(text.encode(), 5), recognised=is_conversation)
    ]
    assert found == [
        ("conversations", 1, 2),
        ("conversations", 2, 3),
        ("attachments", 1, 5),
        ("attachments", 2, {"a": 6}),
    ]


def test_one_conversation_of_librechat_is_one_entry():
    assert values(json.dumps(librechat(), indent=2)) == [librechat()]
