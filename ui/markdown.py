"""A model's text on its way to st.markdown: made safe and readable, and cut where the browser need not see it again.

Streamlit escapes HTML itself. What it does beyond Markdown is undone here, outside code only: `:red[...]` and its
like show as text, remote images become links (an image's address can carry what was said to somebody else; what the
browser still takes for one is not loaded: api.page_policy), a lone `$` is a dollar, and the LaTeX delimiters that
models use become those that Streamlit knows.
"""

from __future__ import annotations

import re

# Fenced blocks first, then inline code: what they hold stays as it is.
_CODE = re.compile(
    r"(^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|`[^`\n]+`)", re.MULTILINE | re.DOTALL
)
# Neither looks further than the next opening of its kind, nor twice at anything: a text of nothing but openings would
# otherwise take minutes, and the whole process with it. `\\[2pt]` is a row of a matrix and opens nothing; that is
# looked at behind the bracket, because a pattern that begins with a letter is searched for thirty times as fast.
_DISPLAY_MATH = re.compile(r"\\\[(?<!\\\\\[)((?:[^\\]++|\\[^\[\]])+)\\\]")
_INLINE_MATH = re.compile(r"\\\((?<!\\\\\()((?:[^\\]++|\\[^()])+)\\\)")
# What is escaped, math, and else a single mark that would be taken for math or for an image: a lone dollar, and a "!"
# before a bracket. Pandoc's rule for a dollar that opens or closes math: no space inside, no digit after the closing
# one.
_MARKS = re.compile(r"\\.|\$\$.+?\$\$|\$(?=[^\s$])[^$\n]*?(?<=[^\s\\])\$(?!\d)|\$|!(?=\[)", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\[\]]*)\](?=[(\[])")
_DIRECTIVE = re.compile(r":(?=[a-z]+(?:-[a-z]+)*\[|material/|[a-z0-9_+-]+:)")
_FENCE_LINE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_LIST_ITEM = re.compile(r"^ {0,3}(?:[-*+]|\d{1,9}[.)])\s")


def renderable(text: str) -> str:
    """`text` with everything but Markdown, math and code made literal."""
    parts: list[str] = []
    position = 0
    for code in _CODE.finditer(text):
        parts += [_prose(text[position : code.start()]), code[0]]
        position = code.end()
    parts.append(_prose(text[position:]))
    return "".join(parts)


def as_typed(text: str) -> str:
    """A person's message: Markdown as in answers, with line breaks where they were typed."""
    parts: list[str] = []
    position = 0
    for code in _CODE.finditer(text):
        parts += [_hard_breaks(_prose(text[position : code.start()])), code[0]]
        position = code.end()
    parts.append(_hard_breaks(_prose(text[position:])))
    return "".join(parts)


def split_blocks(text: str) -> tuple[list[str], str]:
    """Cut a growing text into blocks that will not change any more and the one still being written.

    The blocks and the rest, joined by blank lines, are the text. A cut is made at a blank line outside fences and
    display math, before a line that starts at the margin and does not go on with the list above.
    """
    closed: list[str] = []
    start = 0
    for cut in _cuts(text):
        closed.append(text[start:cut].strip("\n"))
        start = cut
    return [block for block in closed if block], text[start:].lstrip("\n")


def _cuts(text: str) -> list[int]:
    cuts: list[int] = []
    fence, in_math, in_list, after_blank = "", False, False, False
    position = 0
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if not fence and not in_math and after_blank and _starts_block(line, in_list=in_list):
            cuts.append(position)
            in_list = False
        if match := _FENCE_LINE.match(line):
            fence = _after_fence(fence, match[1], stripped)
        elif not fence and stripped.count("$$") % 2:
            in_math = not in_math
        if not fence and stripped:
            in_list = in_list or bool(_LIST_ITEM.match(line))
        after_blank = not stripped
        position += len(line)
    return cuts


def _starts_block(line: str, *, in_list: bool) -> bool:
    # The last line may be half a line still: "1" may become "1. item", so a cut waits for its second character.
    if not line.strip() or line[0] in " \t":
        return False
    return not (in_list and (_LIST_ITEM.match(line) or (not line.endswith("\n") and len(line) < 3)))  # noqa: PLR2004


def _after_fence(open_fence: str, marks: str, stripped: str) -> str:
    if not open_fence:
        return marks
    closes = marks[0] == open_fence[0] and len(marks) >= len(open_fence) and not stripped.strip(marks[0])
    return "" if closes else open_fence


def _prose(text: str) -> str:
    text = _DISPLAY_MATH.sub(lambda math: f"$${math[1]}$$", text)
    text = _INLINE_MATH.sub(lambda math: f"${math[1].strip()}$", text)
    text = _IMAGE.sub(r"[\1]", text)
    text = _MARKS.sub(lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", text)
    return _DIRECTIVE.sub(r"\:", text)


def _hard_breaks(text: str) -> str:
    return re.sub(r"(?<=\S)[ \t]*\n(?=\S)", "  \n", text)


def literal(text: str) -> str:
    """`text` shown as it is: no Markdown, no math, no directives."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>])", r"\\\1", text)
