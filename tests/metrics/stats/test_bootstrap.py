import numpy as np
import pytest

from apps.metrics.stats import bradley_terry, crossover
from apps.metrics.stats.bootstrap import (
    effects_without_one,
    first_shares,
    resampled_effects,
    resampled_strengths,
    strengths_without_one,
)
from apps.metrics.stats.crossover import Cells, cells_of


def made_up_votes(raters, votes, count, seed=1):
    chance = np.random.default_rng(seed)
    who = np.sort(chance.integers(0, raters, votes))
    left = chance.integers(0, count, votes)
    right = (left + chance.integers(1, count, votes)) % count
    won = chance.random(votes) < 1 / (1 + np.exp(0.3 * (left - right)))
    return who, left, right, np.where(chance.random(votes) < 0.2, 0.5, won)


def test_each_round_has_every_strength_and_the_side():
    drawn = resampled_strengths(*made_up_votes(25, 1_000, 8), count=8, rounds=30)

    assert drawn.shape == (30, 9)
    assert drawn[:, :-1].sum(axis=1) == pytest.approx(0, abs=1e-6)


def test_resampled_strengths_spread_as_the_sandwich_says():
    who, left, right, points = made_up_votes(40, 4_000, 3)
    votes = bradley_terry.votes_of(who, left, right, points, shape=(40, 3))
    found = bradley_terry.fit(votes).estimates

    drawn = resampled_strengths(who, left, right, points, count=3, rounds=1_000)

    errors = np.sqrt(np.diag(found.covariance))
    assert drawn[:, :-1].mean(axis=0) == pytest.approx(found.effects, abs=0.03)
    # Votes are drawn once more within raters, so that rounds differ a little more.
    assert np.all(drawn[:, :-1].std(axis=0) > errors)
    assert np.all(drawn[:, :-1].std(axis=0) < 1.8 * errors)
    low, high = np.quantile(drawn[:, :-1], [0.025, 0.975], axis=0)
    assert np.all((low < found.effects) & (found.effects < high))


def test_whole_people_are_drawn():
    """One rater likes 0 a thousand times, one likes 1 once: each is half of whoever is asked."""
    who = np.array([0] * 1_000 + [1])
    left, right = np.zeros(1_001, dtype=np.int64), np.ones(1_001, dtype=np.int64)
    points = np.array([1.0] * 1_000 + [0.0])

    drawn = resampled_strengths(who, left, right, points, count=2, rounds=400)

    assert np.mean(drawn[:, 0] < drawn[:, 1]) == pytest.approx(0.25, abs=0.07)


def test_rounds_are_reproducible_however_they_are_cut():
    votes = made_up_votes(5, 300, 3)

    first, again, other = (
        resampled_strengths(*votes, count=3, rounds=20, seed=seed) for seed in (1, 1, 2)
    )

    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def cells():
    people = np.repeat(np.arange(6), 4)
    candidates = np.tile([0, 1], 12)
    values = np.where(candidates == 0, 4.0, 3.0) + np.tile([0.5, 0, -0.5, 0.0], 6)
    return cells_of(people, candidates, values, np.ones(24), shape=(6, 2))


def test_who_always_comes_first_comes_first_in_every_round():
    assert first_shares(resampled_effects(cells(), rounds=50)).tolist() == [1.0, 0.0]


def test_a_candidate_that_nobody_drawn_has_met_does_not_come_first():
    unmet = Cells(
        *(
            np.pad(each, ((0, 0), (0, 1)))
            for each in (cells().days, cells().weights, cells().totals)
        )
    )

    drawn = resampled_effects(unmet, rounds=50)

    assert np.isnan(drawn[:, 2]).all()
    assert first_shares(drawn).tolist() == [1.0, 0.0, 0.0]


def test_leaving_one_out_is_a_fit_of_all_others():
    found = cells()

    without = effects_without_one(found)

    for gone in range(6):
        kept = [person for person in range(6) if person != gone]
        others = Cells(found.days[kept], found.weights[kept], found.totals[kept])
        assert without[gone] == pytest.approx(crossover.fit(others).estimates.effects)


def test_leaving_one_rater_out_is_a_fit_of_all_others():
    who, left, right, points = made_up_votes(4, 80, 3)
    votes = bradley_terry.votes_of(who, left, right, points, shape=(4, 3))

    without = strengths_without_one(votes)

    for gone in range(4):
        kept = who != gone
        others = bradley_terry.votes_of(
            who[kept], left[kept], right[kept], points[kept], shape=(4, 3)
        )
        assert without[gone, :-1] == pytest.approx(bradley_terry.fit(others).estimates.effects)


def test_without_people_there_is_nothing_to_draw():
    none = np.zeros(0, dtype=np.int64)

    with pytest.raises(ValueError, match="no votes"):
        resampled_strengths(none, none, none, np.zeros(0), count=2)
    with pytest.raises(ValueError, match="no developers"):
        resampled_effects(cells_of(none, none, np.zeros(0), np.zeros(0), shape=(0, 2)))
