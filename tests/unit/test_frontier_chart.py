"""Names in the frontier's chart: none covers another one or a point, on a page and on a phone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.frontier_chart import sides_with_room

_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "label": st.text(min_size=1, max_size=40),
            "cost": st.just(0.0) | st.floats(min_value=1e-5, max_value=2),
            "measure": st.floats(min_value=0.1, max_value=60),
            "dear": st.booleans(),
            "standing": st.sampled_from(("not beaten", "beaten by another one")),
        }
    ),
    min_size=1,
    max_size=12,
)


def row(label, cost, measure, *, dear=False):
    return {"label": label, "cost": cost, "measure": measure, "dear": dear, "standing": "not beaten"}


def test_a_phone_has_room_for_fewer_names_than_a_page():
    rows = [row(f"A model, number {number}", 0.001 * 2**number, 4.0) for number in range(4)]
    rows.append(row("The dear one", 0.1, 9.0, dear=True))

    wide, narrow = (sides_with_room(rows, size_px=size_px) for size_px in ((800.0, 130.0), (270.0, 130.0)))

    assert wide.count("") < narrow.count("") < len(rows)


def test_a_name_does_not_stand_on_the_line():
    rows = [
        row("First", 0.001, 4.0),
        {**row("A model that is beaten", 0.0015, 4.3), "standing": "beaten by another one"},
        row("Last", 0.01, 2.0),
    ]

    # Below its point the line passes.
    assert sides_with_room(rows, size_px=(800.0, 130.0))[1] == "above"


@given(_ROWS)
def test_a_smaller_chart_never_shows_a_name_outside_of_it(rows):
    for row, side in zip(rows, sides_with_room(rows, size_px=(270.0, 130.0)), strict=True):
        long = min(180.0, 6.5 * len(row["label"]))
        assert not side or long <= 270 + 2 * 6.5


def test_a_name_that_is_wider_than_the_chart_is_left_to_the_tooltip():
    assert sides_with_room([row("x" * 40, 0.001, 4.0)], size_px=(100.0, 130.0)) == [""]
