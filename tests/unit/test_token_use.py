from __future__ import annotations

import pytest

from core.costs.token_use import TokenUse
from core.errors import LimitReached
from tests.support.moving_clock import MovingClock


def test_requests_come_back_after_a_minute() -> None:
    clock = MovingClock()
    use = TokenUse(clock=clock)
    assert use.admit("t", rpm_limit=2) == 1
    clock.advance(seconds=20)
    assert use.admit("t", rpm_limit=2) == 0
    with pytest.raises(LimitReached) as refused:
        use.admit("t", rpm_limit=2)
    assert (refused.value.code, refused.value.retry_after_s) == ("rate_limit", 40)
    assert use.admit("other", rpm_limit=2) == 1
    assert use.admit("t", rpm_limit=None) is None
    clock.advance(seconds=40)
    assert use.admit("t", rpm_limit=2) == 0
