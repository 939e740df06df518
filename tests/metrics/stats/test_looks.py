from datetime import date

import pytest

from apps.metrics.stats.looks import (
    Look,
    difference_alpha,
    look_of,
    margin_alpha,
    next_look,
    planned_looks,
)

START = date(2026, 11, 2)
DAYS = (date(2026, 11, 16), date(2026, 11, 30), date(2026, 12, 14))


@pytest.mark.parametrize(
    ("decide_by", "expected"),
    [
        (date(2026, 12, 14), DAYS),
        (date(2026, 12, 1), (*DAYS[:2], date(2026, 12, 1))),
        (date(2026, 11, 30), DAYS[:2]),
        (date(2026, 11, 9), (date(2026, 11, 9),)),
    ],
)
def test_looks_are_at_weeks_two_and_four_and_on_the_day_of_decision(decide_by, expected):
    assert planned_looks(START, decide_by) == expected


@pytest.mark.parametrize(
    ("today", "latest", "following"),
    [
        (date(2026, 11, 15), None, DAYS[0]),
        (date(2026, 11, 16), Look(1, 3, DAYS[0]), DAYS[1]),
        (date(2026, 12, 13), Look(2, 3, DAYS[1]), DAYS[2]),
        (date(2027, 1, 1), Look(3, 3, DAYS[2]), None),
    ],
)
def test_the_latest_look_is_the_one_that_counts(today, latest, following):
    assert look_of(DAYS, today) == latest
    assert next_look(DAYS, today) == following


def test_levels_are_divided_by_chances_of_being_wrong():
    assert difference_alpha(rivals=1, looks=1) == 0.05
    assert difference_alpha(rivals=3, looks=3) == pytest.approx(0.05 / 9)
    assert margin_alpha(rivals=1) == 0.1
    assert margin_alpha(rivals=2) == 0.05
