"""Promises of the statistics with fixed seeds; `make simulate` prints them with more pilots."""

import numpy as np
import pytest

from apps.metrics.stats.bradley_terry import fit
from apps.metrics.stats.made_up import turns_with_late_arm
from apps.metrics.stats.power import chances
from apps.metrics.stats.printed import SPARSE
from apps.metrics.stats.simulations import (
    Ballot,
    ballots,
    coverage,
    direct_pairs,
    false_winners,
    two_proportions,
    unlimited,
)


@pytest.mark.parametrize(
    "ballot", [Ballot(12, 30), Ballot(25, 20), Ballot(8, 40, strengths=(0.0, 0.0, 0.0))]
)
def test_intervals_of_ninety_five_percent_hold_the_truth_that_often(ballot):
    found = coverage(ballot, pilots=2_000)

    assert 0.93 <= found.strengths <= 0.97
    assert 0.93 <= found.differences <= 0.97


def test_the_truth_is_what_unlimited_votes_come_to():
    ballot = Ballot(raters=4_000, votes_each=100)

    many = fit(ballots(np.random.default_rng(3), ballot, 1)).estimates.effects[0]

    assert unlimited(ballot) == pytest.approx(many, abs=0.02)
    # Ties pull towards the middle, so the truth is not what votes were made up with.
    assert unlimited(ballot)[0] < 0.45


@pytest.mark.parametrize("measure", ["daily", "acceptance", "wins"])
@pytest.mark.parametrize(("people", "candidates"), [(10, 2), (25, 3)])
def test_equals_have_a_winner_in_no_more_than_one_of_twenty_pilots(measure, people, candidates):
    share = false_winners(measure=measure, people=people, candidates=candidates, pilots=1_500)

    assert share <= 0.05


@pytest.mark.parametrize("name", SPARSE)
def test_equals_of_whom_little_is_known_have_no_more_winners(name):
    assert SPARSE[name](pilots=1_500) <= 0.05


def test_a_late_arm_is_met_by_so_many_on_the_eve_of_the_first_look():
    met = turns_with_late_arm(np.random.default_rng(1), (3, 6, 30), 3, late=2)

    assert (met[:, :, :9] < 2).all()
    assert (met[:, :, 9] == 2).tolist() == [[True, True, False, False, False, False]] * 3
    assert np.sum(met[:, :, 10:] == 2, axis=-1) == pytest.approx(20 / 3, abs=1)


def test_a_crossover_of_four_candidates_by_twenty_five_reaches_its_verdict_by_week_six():
    found = chances(measure="acceptance", people=25, candidates=4)

    assert found[-1].share > 0.9


@pytest.mark.parametrize(
    ("people", "candidates", "is_acceptance", "expected"),
    [
        (10, 2, False, (3, 4, 6)),
        (25, 2, False, (7, 11, 16)),
        (25, 3, False, (1, 1, 2)),
        (10, 2, True, (0, 0, 0)),
        (25, 2, True, (2, 0, 0)),
    ],
)
def test_what_peers_do_tells_nothing_as_the_sheet_says(people, candidates, is_acceptance, expected):
    found = two_proportions(
        people=people, candidates=candidates, rounds=1_000, is_acceptance=is_acceptance
    )

    assert [100 * each for each in found] == pytest.approx(expected, abs=5)


@pytest.mark.parametrize(
    ("people", "candidates", "expected"),
    [(10, 2, (31, 46, 57)), (25, 2, (78, 94, 98)), (25, 3, (9, 32, 49)), (25, 4, (0, 2, 4))],
)
def test_pair_by_pair_votes_have_the_power_of_the_sheet(people, candidates, expected):
    found = direct_pairs(people=people, candidates=candidates, rounds=1_500)

    assert [100 * each for each in found] == pytest.approx(expected, abs=5)


def test_votes_against_others_tell_of_a_pair_too():
    alone = direct_pairs(people=25, candidates=3, rounds=500)

    together = chances(measure="wins", people=25, candidates=3, rounds=500)

    assert all(each.share > share + 0.1 for each, share in zip(together, alone, strict=True))
