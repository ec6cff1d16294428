"""The difference of two answers as it is shown: escaped, and named for those who do not see colours."""

from __future__ import annotations

from core.arena.comparison import Column
from core.arena.word_diff import word_diff
from ui.compare_diff import column_names, diff_html, set_differently


def column(name: str, position: int, **parameters) -> Column:
    return Column(
        id=f"c{position}",
        comparison_id="x",
        position=position,
        kind="answer",
        model_id=name.lower(),
        model_label=name,
        parameters=parameters,
    )


def test_what_a_model_wrote_is_text_and_never_markup():
    shown = diff_html(word_diff("<b>bold</b> end", "<script>x</script> end"), "A'<i>", 'B"')

    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "<del aria-label='only A&#x27;&lt;i&gt;'>&lt;b&gt;bold&lt;/b&gt; </del>" in shown
    assert "<ins aria-label='only B&quot;'>" in shown


def test_two_columns_of_one_model_are_told_apart():
    columns = [column("Swift", 0), column("Html", 1), column("Swift", 2)]

    assert list(column_names(columns).values()) == ["Swift (column 1)", "Html", "Swift (column 3)"]


def test_what_is_set_differently_is_said_and_what_is_alike_is_not():
    left, right = column("Swift", 0, temperature=0.2, seed=1), column("Html", 1, temperature=1.0, seed=1)

    assert set_differently(left, right, column_names([left, right])) == ["Temperature differs. Swift: 0.2 · Html: 1.0"]
