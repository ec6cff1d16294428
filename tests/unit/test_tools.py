"""The tools that ship, what they are given wrongly, and how they are found."""

from __future__ import annotations

import json
import threading
from datetime import datetime

import pytest
from jsonschema import Draft202012Validator

from core.chat.conversation import Attachment
from core.tools.tool import Interrupt, Tool, ToolContext, ToolLimits
from core.tools.toolbox import load_tools, run_tool, tools_for

pytestmark = pytest.mark.slow

NOW = datetime(2026, 5, 4, 12)  # noqa: DTZ001 - naive UTC
SALES = "city;amount\nBerlin;2\nParis;3.5\nBerlin;4\n"


def attached(name, kind, text=None, **fields):
    return Attachment(name=name, kind=kind, media_type="x", content_hash="0", size_bytes=1, text=text, **fields)


def context(*files, **fields):
    return ToolContext(files=files, now=NOW, **fields)


def call(name, given=None, *, inside=None, tools=None):
    arguments = given if isinstance(given, str) else json.dumps(given or {})
    return run_tool(tools or load_tools(), name, arguments, inside or context())


def test_every_tool_of_the_folder_is_found_and_describes_itself():
    tools = {tool.name: tool for tool in load_tools()}

    assert tools.keys() >= {"calculator", "current_time", "read_file", "query_csv"}
    for tool in tools.values():
        Draft202012Validator.check_schema(dict(tool.schema))
        assert tool.description
        assert tool.label


def test_tools_for_files_are_offered_with_files():
    csv, image, gone = attached("a.csv", "csv"), attached("b.png", "image"), attached("c.txt", "text", lost=True)

    def names(*files):
        return {tool.name for tool in tools_for(load_tools(), files)}

    assert names() == names(image) == names(gone) == {"calculator", "current_time"}
    assert names(csv) == {"calculator", "current_time", "read_file", "query_csv"}


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("rocket", {}, "no tool named rocket"),
        ("calculator", "{", "no JSON object"),
        ("calculator", "[1]", "is not of type 'object'"),
        ("calculator", {}, "'expression' is a required property"),
        ("calculator", {"expression": 5}, "5 is not of type 'string'"),
        ("calculator", {"expression": "1", "more": 1}, "'more' was unexpected"),
        ("calculator", {"expression": "os.getcwd()"}, "no arithmetic"),
        ("current_time", {"time_zone": "../../etc/passwd"}, "no time zone"),
        ("current_time", {"time_zone": "berlin"}, "Did you mean Europe/Berlin"),
        ("read_file", {"file": "a"}, "There are: none"),
    ],
)
def test_what_a_model_gets_wrong_is_told_to_it(name, arguments, reason):
    outcome = call(name, arguments)

    assert outcome.failed
    assert reason in outcome.text


def test_a_tool_that_breaks_is_a_result_too(caplog):
    def broken(_arguments, _context):
        raise OSError("secret")

    tools = [Tool(name="broken", label="", description="", schema={"type": "object"}, run=broken)]
    outcome = call("broken", tools=tools)

    assert outcome.failed
    assert "secret" not in outcome.text
    assert "secret" in caplog.text


def test_a_long_result_is_cut_and_says_so():
    tools = [Tool(name="long", label="", description="", schema={}, run=lambda _arguments, _context: "x" * 1000)]
    outcome = call("long", tools=tools, inside=context(limits=ToolLimits(characters=100)))

    assert outcome.text.startswith("x" * 100 + "\n")
    assert "100 of 1,000 characters" in outcome.text


def test_the_time_is_that_of_the_person_or_of_a_zone():
    assert call("current_time").text == "Monday, 2026-05-04 12:00:00 in UTC (UTC+00:00), week 19"
    assert (
        "14:00:00 in Europe/Berlin (UTC+02:00)" in call("current_time", inside=context(time_zone="Europe/Berlin")).text
    )
    assert "21:00:00 in Asia/Tokyo (UTC+09:00)" in call("current_time", {"time_zone": "Asia/Tokyo"}).text


def test_lines_of_a_file():
    notes = attached("notes.txt", "text", "\n".join(f"line {n}" for n in range(1, 501)))

    whole = call("read_file", inside=context(notes)).text
    part = call("read_file", {"file": "notes.txt", "first_line": 7, "last_line": 8}, inside=context(notes)).text
    behind = call("read_file", {"first_line": 600}, inside=context(notes))

    assert whole.startswith("notes.txt, lines 1 to 200 of 500:\nline 1\n")
    assert part == "notes.txt, lines 7 to 8 of 500:\nline 7\nline 8"
    assert behind.failed


def test_lines_that_do_not_fit_say_where_to_go_on():
    notes = attached("notes.txt", "text", "\n".join(["x" * 90] * 10))

    few = call("read_file", inside=context(notes, limits=ToolLimits(characters=400))).text
    long = call("read_file", inside=context(attached("one.txt", "text", "y" * 999), limits=ToolLimits(characters=400)))

    assert few.startswith("notes.txt, lines 1 to 2 of 10. More do not fit into one result: go on at line 3:")
    assert long.text.endswith("y" * 200 + "… (this line goes on)")


def test_the_newest_file_of_a_name_is_read_and_others_are_named():
    old, new, other = attached("a.txt", "text", "old"), attached("a.txt", "text", "new"), attached("b.md", "text", "b")

    assert call("read_file", {"file": "a.txt"}, inside=context(old, new, other)).text.endswith("new")
    assert "There are: a.txt, b.md." in call("read_file", inside=context(old, new, other)).text


def test_sql_over_a_csv():
    found = call(
        "query_csv",
        {"sql": "select city, sum(amount) as total from data group by city order by city"},
        inside=context(attached("sales.csv", "csv", SALES)),
    )

    assert not found.failed
    assert found.text == "city,total\nBerlin,6.0\nParis,3.5\n(2 rows)"


def test_many_rows_are_cut_and_say_so():
    numbers = attached("n.csv", "csv", "n\n" + "\n".join(map(str, range(500))))

    assert call("query_csv", {"sql": "from data"}, inside=context(numbers)).text.endswith(
        "99\n(The first 100 rows; there are more. Aggregate, or narrow it down)"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('http://127.0.0.1/x.csv')",
        "select * from glob('/*')",
        "copy data to '/tmp/stolen.csv'",
        "attach '/tmp/other.duckdb'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "create table other as from data",
        "drop table data",
        "from json",
        "select getenv('HOME')",
        "select 1; select 2",
        "select",
    ],
)
def test_sql_reaches_nothing_but_the_table(sql):
    outcome = call("query_csv", {"sql": sql}, inside=context(attached("sales.csv", "csv", SALES)))

    assert outcome.failed
    assert "Query the table data with one SELECT" in outcome.text


def test_a_query_without_end_is_stopped():
    inside = context(attached("sales.csv", "csv", SALES), limits=ToolLimits(seconds=1.5))

    outcome = call("query_csv", {"sql": "select count(*) from range(1000000000000)"}, inside=inside)

    assert outcome.failed
    assert "stopped" in outcome.text


def test_a_query_can_be_interrupted():
    interrupt, outcomes = Interrupt(), []
    registered = threading.Event()

    def register(end):
        interrupt.register(end)
        registered.set()

    inside = context(attached("s.csv", "csv", SALES), limits=ToolLimits(seconds=60), on_interrupt=register)
    sql = {"sql": "select count(*) from range(1000000000000)"}
    thread = threading.Thread(target=lambda: outcomes.append(call("query_csv", sql, inside=inside)))
    thread.start()
    assert registered.wait(10)
    interrupt.fire()
    thread.join(10)

    assert [outcome.failed for outcome in outcomes] == [True]


def test_an_interrupt_that_came_first_ends_what_registers_later():
    interrupt, ended = Interrupt(), []
    interrupt.fire()
    interrupt.register(lambda: ended.append(1))

    assert ended == [1]
