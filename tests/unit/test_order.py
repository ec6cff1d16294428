"""The order in which files of tests go to the workers."""

from __future__ import annotations

from tests.support.live_server import ROOT
from tests.support.order import _LONG_S, _USUAL_S, handed_out


def _files() -> list[str]:
    return [str(path.relative_to(ROOT / "tests")) for path in (ROOT / "tests").glob("*/test_*.py")]


def test_every_file_is_handed_out_once():
    assert sorted(handed_out(_files() * 2)) == sorted(_files())


def test_long_files_come_before_short_ones_of_their_kind():
    files = ["store/test_users.py", "e2e/test_tools.py", "store/test_demo.py", "e2e/test_chat.py"]

    order = handed_out(files)

    assert order.index("e2e/test_chat.py") < order.index("e2e/test_tools.py")
    assert order.index("store/test_demo.py") < order.index("store/test_users.py")


def test_the_workers_begin_with_two_browser_files_and_another():
    folders = [file.partition("/")[0] for file in handed_out(_files())[:3]]

    assert sorted(folder == "e2e" for folder in folders) == [False, True, True]


def test_what_is_said_of_files_and_folders_is_said_of_some_that_exist():
    assert set(_LONG_S) <= set(_files())
    assert set(_USUAL_S) == {file.partition("/")[0] for file in _files()}
