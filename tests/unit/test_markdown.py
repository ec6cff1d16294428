from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ui.markdown import as_typed, literal, renderable, split_blocks

LINES = st.lists(
    st.sampled_from(
        [
            "",
            "para one",
            "more of it",
            "- item",
            "1. item",
            "  continued",
            "```py",
            "```",
            "~~~",
            "$$",
            "# Heading",
            "> quote",
            "| a |",
        ]
    ),
    max_size=30,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("costs $5 and $10 now", r"costs \$5 and \$10 now"),
        ("it is 5$", r"it is 5\$"),
        ("mass $m^2$ here", "mass $m^2$ here"),
        (r"inline \(a+b\) and \[ c \]", "inline $a+b$ and $$ c $$"),
        (r"\[ a \\[2pt] b \]", r"$$ a \\[2pt] b $$"),
        (r"\( f(x) \) and \(y\)", "$f(x)$ and $y$"),
        ("$$a\n\nb$$", "$$a\n\nb$$"),
        (":red[hi] :material/home:", r"\:red[hi] \:material/home:"),
        ("![alt](http://elsewhere/?q=secret)", "[alt](http://elsewhere/?q=secret)"),
        ("![a [b]](http://elsewhere/)", r"\![a [b]](http://elsewhere/)"),
        (r"![a\]](http://elsewhere/)", r"\![a\]](http://elsewhere/)"),
        ("![a]\n\n[a]: http://elsewhere/", "\\![a]\n\n[a]: http://elsewhere/"),
        (r"\\![a]", r"\\\![a]"),
        (r"\![a]", r"\![a]"),
        ("vec![1, 2] and $n![k]$", r"vec\![1, 2] and $n![k]$"),
        ("`$x :red[y]`", "`$x :red[y]`"),
        ("```\n$x ![a](b)\n```", "```\n$x ![a](b)\n```"),
        ("```\nstill open $5", "```\nstill open $5"),
    ],
)
def test_renderable_keeps_markdown_math_and_code_only(text: str, shown: str) -> None:
    assert renderable(text) == shown


def test_html_is_left_to_streamlit_which_escapes_it() -> None:
    assert renderable("<script>alert(1)</script>") == "<script>alert(1)</script>"


def test_a_typed_line_break_is_kept_outside_code() -> None:
    assert as_typed("one\ntwo\n\n```\na\nb\n```") == "one  \ntwo\n\n```\na\nb\n```"


@given(st.text())
def test_literal_leaves_no_active_mark(text: str) -> None:
    shown = literal(text)

    assert shown.replace("\\", "") == text.replace("\\", "")


@given(LINES)
@example(["- a", "", "- b", "", "next"])
def test_blocks_put_together_are_the_text(lines: list[str]) -> None:
    text = "\n".join(lines)

    closed, rest = split_blocks(text)

    assert "".join("".join([*closed, rest]).split()) == "".join(text.split())


@given(LINES)
def test_closed_blocks_do_not_change_when_more_arrives(lines: list[str]) -> None:
    text = "\n".join(lines)
    longest = split_blocks(text)[0]

    for length in range(len(text)):
        closed, _ = split_blocks(text[:length])
        assert closed == longest[: len(closed)]


@given(LINES)
def test_splitting_the_rest_again_goes_on_where_it_stopped(lines: list[str]) -> None:
    text = "\n".join(lines)
    painted: list[str] = []
    rest = ""
    for character in text:
        closed, rest = split_blocks(rest + character)
        painted += closed

    assert [*painted, rest.strip("\n")] == [*split_blocks(text)[0], split_blocks(text)[1].strip("\n")]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("one\n\ntwo", ["one", "two"]),
        ("- a\n\n- b\n\nnext", ["- a\n\n- b", "next"]),
        ("1. a\n\n   more\n\n2. b", ["1. a\n\n   more\n\n2. b"]),
        ("```py\na\n\nb\n```\n\nafter", ["```py\na\n\nb\n```", "after"]),
        ("````\n```\n\n```\n````\n\nafter", ["````\n```\n\n```\n````", "after"]),
        ("$$\na\n\nb\n$$\n\nafter", ["$$\na\n\nb\n$$", "after"]),
    ],
)
def test_cuts_fall_between_blocks(text: str, blocks: list[str]) -> None:
    closed, rest = split_blocks(text)

    assert [*closed, rest] == blocks


@pytest.mark.parametrize("opening", ["![", r"\[", r"\(", r"\\[", r"\\\(", "![](", "$x ", "```\n", "$$ ", ":a-"])
def test_a_text_of_nothing_but_openings_takes_no_longer_than_its_length(opening):
    """Ten times as much took a hundred times as long, minutes in which the process did nothing else."""

    def seconds(characters: int) -> float:
        text = opening * (characters // len(opening))
        begun = time.thread_time()
        renderable(text)
        return time.thread_time() - begun

    assert seconds(200_000) < 40 * max(seconds(20_000), 0.002)
