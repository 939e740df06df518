import pytest

from apps.core.figures import MINUS
from apps.dashboard.deltas import Delta, change, share_change


@pytest.mark.parametrize(
    ("now", "before", "up_is_good", "expected"),
    [
        ((80, 100), (50, 100), True, Delta("+30 pts", "good")),
        ((80, 100), (50, 100), False, Delta("+30 pts", "bad")),
        ((50, 100), (80, 100), True, Delta(f"{MINUS}30 pts", "bad")),
        # Within chance: told, but neither good nor bad.
        ((55, 100), (50, 100), True, Delta("+5 pts", "")),
        ((50, 100), (50, 100), True, Delta("±0 pts", "")),
        ((5, 10), (0, 0), True, None),
        ((0, 0), (5, 10), True, None),
    ],
)
def test_shares_differ_in_points_and_only_beyond_chance_for_better_or_worse(
    now, before, up_is_good, expected
):
    assert share_change(now, before, up_is_good=up_is_good) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (150, 100, Delta("+50%", "bad")),
        (50, 100, Delta(f"{MINUS}50%", "good")),
        (105, 100, Delta("+5%", "")),
        (100, 0, None),
        (None, 100, None),
        (100, None, None),
    ],
)
def test_amounts_differ_in_percent_of_the_earlier(now, before, expected):
    assert change(now, before, up_is_good=False) == expected
