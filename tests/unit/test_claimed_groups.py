"""What an identity provider says of groups, in every shape it may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.accounts.oidc import claimed_groups


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({"groups": ["Legal", "Design"]}, ("Legal", "Design")),
        ({"groups": ("Legal",)}, ("Legal",)),
        ({"groups": "Legal"}, ("Legal",)),
        ({"groups": ["Legal", 7, None, "", ["Design"]]}, ("Legal",)),
        ({"groups": {"Legal": True}}, ()),
        ({"groups": None}, ()),
        ({"groups": []}, ()),
        ({"roles": ["Legal"]}, ()),
    ],
)
def test_names_are_taken_and_nothing_else(claims, groups):
    assert claimed_groups(claims, "groups") == groups


CLAIM = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=10), CLAIM, max_size=6))
def test_no_claim_can_break_it(claims):
    for name in [*claims, "groups"]:
        assert all(isinstance(group, str) and group for group in claimed_groups(claims, name))
