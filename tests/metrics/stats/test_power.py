"""The sheet's power table, each figure within five points, with fewer rounds than the command."""

from dataclasses import replace

import numpy as np
import pytest

from apps.metrics.stats.contrasts import bounds
from apps.metrics.stats.looks import difference_alpha
from apps.metrics.stats.power import ASSUMED, Chance, chances, not_worse_chances, simulated

# Measure, people, candidates, and the sheet's percentages at weeks 2, 4 and 6.
TABLE = [
    ("daily", 10, 2, (17, 37, 57)),
    ("daily", 25, 2, (49, 89, 98)),
    ("daily", 25, 3, (11, 44, 74)),
    ("daily", 25, 4, (1, 13, 35)),
    ("acceptance", 10, 2, (52, 83, 96)),
    ("acceptance", 25, 2, (98, 100, 100)),
    ("acceptance", 25, 3, (68, 97, 100)),
    ("acceptance", 25, 4, (31, 84, 98)),
    ("wins", 10, 2, (31, 46, 57)),
    ("wins", 25, 2, (78, 94, 98)),
]


def percentages(found: list[Chance]) -> list[float]:
    return [100 * each.share for each in found]


@pytest.mark.parametrize(("measure", "people", "candidates", "expected"), TABLE)
def test_power_is_that_of_the_sheet(measure, people, candidates, expected):
    found = chances(measure=measure, people=people, candidates=candidates, rounds=2_000)

    assert percentages(found) == pytest.approx(expected, abs=5)


def test_equals_are_not_worse_as_often_as_the_sheet_says():
    found = not_worse_chances(measure="daily", people=25, candidates=2, margin=0.3, rounds=2_000)

    assert percentages(found) == pytest.approx((52, 81, 94), abs=5)


@pytest.mark.parametrize(
    ("measure", "clearly_worse"),
    [
        ("daily", {"daily_gap": -1.0}),
        ("acceptance", {"accepted_best": 0.15, "accepted": 0.25}),
        ("wins", {"wins": 0.25}),
    ],
)
def test_what_is_clearly_worse_than_some_of_four_shows_within_two_weeks(measure, clearly_worse):
    assumed = replace(ASSUMED, **clearly_worse)
    alpha = difference_alpha(rivals=3, looks=3)

    *_, (week, found) = simulated(measure, (400, 25, 4), 2, 1, assumed)

    shows = [bounds(found, rival, 0, alpha=alpha)[0] > 0 for rival in (1, 2, 3)]
    assert week == 2
    assert np.mean(np.any(shows, axis=0)) > 0.85


@pytest.mark.parametrize("measure", ["daily", "acceptance", "wins"])
def test_chances_are_told_for_each_week(measure):
    found = chances(measure=measure, people=25, candidates=3, rounds=50)

    assert [each.week for each in found] == [2, 4, 6]


def test_chances_are_reproducible_and_bounded():
    first, again = (chances(measure="daily", people=10, candidates=2, rounds=100) for _ in range(2))

    assert first == again
    assert all(0 <= each.low <= each.share <= each.high <= 1 for each in first)


def test_one_person_never_reaches_a_verdict():
    found = chances(measure="daily", people=1, candidates=2, rounds=50)

    assert percentages(found) == [0, 0, 0]


def test_one_candidate_has_no_rival():
    assert chances(measure="daily", people=25, candidates=1) == []
    assert not_worse_chances(measure="daily", people=25, candidates=1, margin=0.3) == []


@pytest.mark.parametrize(("measure", "people"), [("stars", 25), ("daily", 0)])
def test_what_is_no_trial_is_refused(measure, people):
    with pytest.raises(ValueError, match="no trial"):
        chances(measure=measure, people=people, candidates=2)
