"""Strengths are those of the literature and of evalica and choix, the oracles.

`food.csv` and `simple.csv` are evalica's data sets (github.com/dustalov/evalica, Apache-2.0).
"""

import csv
from pathlib import Path

import choix
import evalica
import numpy as np
import pytest
import statsmodels.api as sm

from apps.metrics.stats.bradley_terry import NO_PRIOR, Votes, coefficients, fit, votes_of
from apps.metrics.stats.contrasts import bounds, is_best, pseudo_inverse

HERE = Path(__file__).parent
WINNERS = {"left": (1.0, evalica.Winner.X), "right": (0.0, evalica.Winner.Y)}
TIE = (0.5, evalica.Winner.Draw)

# Of 22 games, from Wikipedia's article: how often the first beat the second.
GAMES = {
    ("A", "B"): 2,
    ("B", "A"): 3,
    ("A", "D"): 1,
    ("D", "A"): 4,
    ("B", "C"): 5,
    ("C", "B"): 3,
    ("C", "D"): 1,
    ("D", "C"): 3,
}


def table(wins, count):
    """Votes in which the left always won, one rater."""
    tables = np.zeros((1, count, count))
    for (winner, loser), times in wins.items():
        tables[0, winner, loser] = times
    return Votes(tables, tables)


def games():
    letters = "ABCD"
    return table({(letters.index(a), letters.index(b)): n for (a, b), n in GAMES.items()}, 4)


def read(name):
    """Return names, and left, right, points and evalica's winners of a data set."""
    rows = list(csv.DictReader((HERE / name).read_text().splitlines()))
    names = sorted({row["left"] for row in rows} | {row["right"] for row in rows})
    said = [WINNERS.get(row["winner"], TIE) for row in rows]
    left, right = ([names.index(row[side]) for row in rows] for side in ("left", "right"))
    return names, left, right, [points for points, _ in said], [each for _, each in said]


def votes(left, right, points, count, raters=None):
    return votes_of(
        np.zeros(len(left), dtype=np.int64) if raters is None else raters,
        np.array(left),
        np.array(right),
        np.array(points, dtype=float),
        shape=(1 if raters is None else int(raters.max()) + 1, count),
    )


def shares(strengths):
    return np.exp(strengths) / np.exp(strengths).sum()


def test_wikipedias_games_give_wikipedias_strengths():
    found = fit(games(), prior=NO_PRIOR, has_side=False)

    strengths = np.exp(found.estimates.effects)
    assert strengths == pytest.approx([0.6398, 1.0433, 0.6598, 2.2704], abs=5e-5)
    assert strengths.prod() == pytest.approx(1)
    inverse, _ = pseudo_inverse(found.hessian[:-1, :-1] - NO_PRIOR * np.eye(4))
    assert np.sqrt(np.diag(inverse)) == pytest.approx([0.5481, 0.4818, 0.5204, 0.6213], abs=5e-5)


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        (
            "food.csv",
            {
                "Tacos": 0.43428982771223773,
                "Sushi": 0.19060028489839073,
                "Burger": 0.14797665121689418,
                "Pasta": 0.1281534106031957,
                "Pizza": 0.09897982556928168,
            },
        ),
        (
            "simple.csv",
            {
                "4": 0.34947527489923,
                "3": 0.33688868041573855,
                "2": 0.13168568070110523,
                "1": 0.1311506914535368,
                "0": 0.050799672530389396,
            },
        ),
    ],
)
def test_evalicas_data_sets_give_evalicas_scores(name, golden):
    names, left, right, points, winners = read(name)

    found = fit(votes(left, right, points, len(names)), prior=NO_PRIOR, has_side=False)

    ours = dict(zip(names, shares(found.estimates.effects), strict=True))
    assert ours == pytest.approx(golden, rel=1e-6)
    theirs = evalica.bradley_terry(
        [names[each] for each in left],
        [names[each] for each in right],
        winners,
        tie_weight=0.5,
        tolerance=1e-12,
        limit=10_000,
    ).scores
    assert ours == pytest.approx((theirs / theirs.sum()).to_dict(), rel=1e-6)


def test_choixs_example_gives_choixs_strengths():
    data = [[0, 1], [0, 1], [1, 2], [2, 0]]

    found, _ = coefficients(
        *(table({(0, 1): 2, (1, 2): 1, (2, 0): 1}, 3).counts[0],) * 2,
        prior=NO_PRIOR,
        has_side=False,
    )

    assert found == pytest.approx([0.419617624, -0.419617624, 0, 0], abs=1e-8)
    oracle = choix.opt_pairwise(3, data, alpha=1e-12, tol=1e-12)
    assert found[:-1] == pytest.approx(oracle, abs=1e-5)


@pytest.mark.parametrize(("prior", "difference"), [(0.5, 2.128), (1, 1.634), (0.1, 3.359)])
def test_the_prior_keeps_five_to_nothing_finite(prior, difference):
    five = table({(0, 1): 5}, 2)

    found = fit(five, prior=prior, has_side=False).estimates.effects

    assert found[0] - found[1] == pytest.approx(difference, abs=5e-4)


def made_up_votes(seed=5, raters=9, count=4):
    chance = np.random.default_rng(seed)
    who = np.repeat(np.arange(raters), chance.integers(5, 40, raters))
    left = chance.integers(0, count, len(who))
    right = (left + chance.integers(1, count, len(who))) % count
    lead = 0.3 * (right - left) + 0.4 + 0.5 * np.sin(who)
    points = (chance.random(len(who)) < 1 / (1 + np.exp(-lead))).astype(float)
    points[chance.random(len(who)) < 0.2] = 0.5
    return who, left, right, points


def test_sandwich_errors_by_rater_and_the_side_are_those_of_statsmodels():
    who, left, right, points = made_up_votes()
    found = fit(votes(left, right, points, 4, who), prior=NO_PRIOR)
    design = np.zeros((len(who), 4))
    design[:, 0] = 1
    for candidate in (1, 2, 3):
        design[:, candidate] = (left == candidate).astype(float) - (right == candidate)
    # Without statsmodels' own correction, which counts votes, too: here it is k / (k - 1) alone.
    oracle = sm.GLM(points, design, family=sm.families.Binomial()).fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": who, "use_correction": False}
    )

    effects, spread = found.estimates.effects, found.estimates.covariance
    assert effects[1:] - effects[0] == pytest.approx(oracle.params[1:], rel=1e-6)
    assert found.side == pytest.approx(oracle.params[0], rel=1e-6)
    correction = np.sqrt(9 / 8)
    assert found.side_error == pytest.approx(oracle.bse[0] * correction, rel=1e-6)
    errors = [np.sqrt(spread[0, 0] + spread[k, k] - 2 * spread[0, k]) for k in (1, 2, 3)]
    assert errors == pytest.approx(oracle.bse[1:] * correction, rel=1e-6)
    assert found.estimates.clusters.tolist() == [9] * len(found.estimates.effects)


def test_a_side_that_wins_by_itself_makes_nobody_stronger():
    left, right = [0, 1] * 50, [1, 0] * 50

    fair = fit(votes(left, right, [1, 1, 0.5, 0.5] * 25, 2, np.arange(100) % 10))
    assert fair.estimates.effects == pytest.approx([0, 0], abs=1e-9)
    assert fair.side > 0.5


def test_strengths_sum_to_nothing_in_each_set_that_has_met():
    found = fit(votes([0, 1, 2, 3], [1, 0, 3, 2], [1, 0, 1, 0.5], 4)).estimates.effects

    assert found[0] + found[1] == pytest.approx(0, abs=1e-9)
    assert found[2] + found[3] == pytest.approx(0, abs=1e-9)


def test_one_rater_has_no_error():
    assert np.isnan(fit(games()).estimates.covariance).all()


def test_many_pilots_at_once_are_the_same_as_one_by_one():
    each = [votes(*made_up_votes(seed)[1:], 4, made_up_votes(seed)[0]) for seed in (1, 2)]
    together = Votes(np.stack([one.counts for one in each]), np.stack([one.points for one in each]))

    at_once = fit(together)

    for place, one in enumerate(each):
        alone = fit(one)
        assert at_once.estimates.effects[place] == pytest.approx(alone.estimates.effects)
        assert at_once.estimates.covariance[place] == pytest.approx(alone.estimates.covariance)


def test_five_votes_that_all_fall_one_way_decide_nothing():
    """The sandwich of separated votes is tiny: without the floor, 5 to 0 were certainty."""
    five = fit(votes([0] * 5, [1] * 5, [1] * 5, 2, np.arange(5))).estimates
    twenty = fit(votes([0] * 20, [1] * 20, [1] * 20, 2, np.arange(20) % 5)).estimates

    assert bounds(five, 0, 1, alpha=0.05)[0] > 0
    assert not is_best(five, 0, alpha=0.05)
    assert is_best(twenty, 0, alpha=0.05)
    assert twenty.votes.tolist() == [[0, 20], [20, 0]]
    assert twenty.clusters.tolist() == [5, 5]


def test_raters_are_counted_for_each_candidate_they_have_compared():
    found = fit(votes([0, 0, 1], [1, 1, 2], [1, 0, 1], 3, np.array([0, 1, 1]))).estimates

    assert found.clusters.tolist() == [2, 2, 1]


def test_order_of_votes_does_not_matter():
    who, left, right, points = made_up_votes()
    order = np.random.default_rng(0).permutation(len(who))

    forth = fit(votes(left, right, points, 4, who)).estimates.effects
    back = fit(votes(left[order], right[order], points[order], 4, who[order])).estimates.effects

    assert forth.tolist() == back.tolist()


@pytest.mark.parametrize(
    ("right", "points", "words"),
    [([1], [1.0, 0.0], "length"), ([1, 1], [1.0, 0.0], "itself")],
)
def test_what_is_no_vote_is_refused(right, points, words):
    with pytest.raises(ValueError, match=words):
        votes([0, 1], right, points, 2)
