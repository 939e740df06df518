"""Clustered errors are those of statsmodels, the oracle, to 1e-6; sums by cell lose nothing."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from apps.metrics.stats.contrasts import bounds, differences, is_best, quantile
from apps.metrics.stats.crossover import Cells, cells_of, fit, levels_of
from apps.metrics.stats.made_up import Assumptions, acceptance, turns

PEOPLE, COUNT = 12, 3


def made_up_days(seed=3, days=17, weighted=True):
    """An unbalanced crossover: some days are missing, some weigh more, levels differ."""
    chance = np.random.default_rng(seed)
    rows = pd.DataFrame(
        [
            (g, chance.integers(COUNT))
            for g in range(PEOPLE)
            for _ in range(chance.integers(4, days))
        ],
        columns=["person", "candidate"],
    )
    levels = chance.normal(size=PEOPLE)
    rows["y"] = levels[rows.person] + 0.3 * (rows.candidate == 0) + chance.normal(size=len(rows))
    rows["w"] = chance.integers(1, 90, len(rows)).astype(float) if weighted else 1.0
    return rows


def cells(rows):
    columns = (rows.person, rows.candidate, rows.y, rows.w)
    return cells_of(*(column.to_numpy() for column in columns), shape=(PEOPLE, COUNT))


@pytest.mark.parametrize("weighted", [False, True])
def test_contrasts_and_clustered_errors_are_those_of_statsmodels(weighted):
    rows = made_up_days(weighted=weighted)
    oracle = smf.wls("y ~ C(person) + C(candidate)", rows, weights=rows.w).fit(
        cov_type="cluster", cov_kwds={"groups": rows.person}, use_t=True
    )

    found = fit(cells(rows)).estimates

    for candidate in (1, 2):
        name = f"C(candidate)[T.{candidate}]"
        difference, error = differences(found, candidate, 0)
        assert difference == pytest.approx(oracle.params[name], rel=1e-6)
        assert error == pytest.approx(oracle.bse[name], rel=1e-6)
        interval = oracle.conf_int(alpha=0.05).loc[name]
        assert bounds(found, candidate, 0, alpha=0.05) == pytest.approx(tuple(interval), rel=1e-6)
    assert found.clusters.tolist() == [PEOPLE] * COUNT


def test_effects_sum_to_nothing():
    assert fit(cells(made_up_days())).estimates.effects.sum() == pytest.approx(0, abs=1e-12)


def test_levels_differ_by_the_effects_around_the_mean_of_all_days():
    rows = made_up_days()
    found = fit(cells(rows))

    levels, errors = levels_of(cells(rows), found)

    effects = found.estimates.effects
    met = rows.groupby("candidate").w.sum().to_numpy() / rows.w.sum()
    assert levels - levels[0] == pytest.approx(effects - effects[0])
    assert levels @ met == pytest.approx(np.average(rows.y, weights=rows.w))
    assert np.all(errors > np.sqrt(np.diag(found.estimates.covariance)))


def test_a_lone_candidates_level_is_its_mean_with_errors_by_developer():
    rows = made_up_days()
    oracle = smf.wls("y ~ 1", rows, weights=rows.w).fit(
        cov_type="cluster", cov_kwds={"groups": rows.person, "df_correction": False}
    )
    alone = cells_of(
        rows.person.to_numpy(),
        np.zeros(len(rows), dtype=np.int64),
        rows.y.to_numpy(),
        rows.w.to_numpy(),
        shape=(PEOPLE, 1),
    )

    levels, errors = levels_of(alone, fit(alone))

    assert levels[0] == pytest.approx(oracle.params["Intercept"])
    assert errors[0] == pytest.approx(oracle.bse["Intercept"], rel=1e-6)


def test_many_pilots_at_once_are_the_same_as_one_by_one():
    met = turns(np.random.default_rng(1), (4, 6, 9), 3)
    together = acceptance(np.random.default_rng(2), met, Assumptions()).cells(3, 9)

    at_once = fit(together).estimates

    for pilot in range(4):
        alone = fit(
            Cells(together.days[pilot], together.weights[pilot], together.totals[pilot])
        ).estimates
        assert at_once.effects[pilot] == pytest.approx(alone.effects)
        assert at_once.covariance[pilot] == pytest.approx(alone.covariance)


def test_a_developer_with_one_candidate_says_nothing_of_the_difference():
    people = np.array([0, 0, 1, 1, 2])
    candidates = np.array([0, 1, 0, 1, 0])
    values = np.array([3.0, 4.0, 2.0, 4.0, 5.0])

    found = fit(cells_of(people, candidates, values, np.ones(5), shape=(3, 2))).estimates

    assert differences(found, 1, 0)[0] == pytest.approx(1.5)
    assert found.clusters.tolist() == [2, 2]


def test_who_met_one_candidate_alone_changes_neither_effects_nor_errors():
    """The oracle is asked about those who compared: others say nothing of a difference."""
    rows = made_up_days()
    alone = pd.DataFrame(
        [(g, 0, 5.0 + g % 3, 40.0) for g in (12, 12, 13, 14)],
        columns=["person", "candidate", "y", "w"],
    )
    oracle = smf.wls("y ~ C(person) + C(candidate)", rows, weights=rows.w).fit(
        cov_type="cluster", cov_kwds={"groups": rows.person}, use_t=True
    )
    both = pd.concat([rows, alone])

    columns = (both[name].to_numpy() for name in ("person", "candidate", "y", "w"))
    found = fit(cells_of(*columns, shape=(15, COUNT))).estimates

    difference, error = differences(found, 1, 0)
    assert difference == pytest.approx(oracle.params["C(candidate)[T.1]"], rel=1e-6)
    assert error == pytest.approx(oracle.bse["C(candidate)[T.1]"], rel=1e-6)
    assert found.clusters.tolist() == [PEOPLE] * COUNT


def test_five_people_one_of_whom_met_both_tell_nothing():
    """One person's day leaves no error at all, which is not certainty."""
    people = np.append(np.repeat(np.arange(5), 9), 0)
    candidates = np.append(np.zeros(45, dtype=np.int64), 1)
    values = np.append(np.tile([3.0, 4.0, 3.0], 15), 5.0)

    found = fit(cells_of(people, candidates, values, np.ones(46), shape=(5, 2))).estimates

    assert found.clusters.tolist() == [1, 1]
    assert not is_best(found, 1, alpha=0.05)
    assert bounds(found, 1, 0, alpha=0.05) == (-np.inf, np.inf)


def test_an_arm_that_joined_yesterday_is_known_from_those_who_met_it():
    chance = np.random.default_rng(1)
    people, candidates = np.repeat(np.arange(25), 8), np.tile([0, 1], 100)
    people, candidates = np.append(people, range(4)), np.append(candidates, [2] * 4)
    values = chance.normal(size=204) + 9 * (candidates == 2)

    found = fit(cells_of(people, candidates, values, np.ones(204), shape=(25, 3))).estimates

    assert found.clusters.tolist() == [25, 25, 4]
    # With t on the 24 degrees of the whole team it would have won.
    assert bounds(found, 2, 0, alpha=0.05)[0] > 0
    assert not is_best(found, 2, alpha=0.05)
    difference, error = differences(found, 2, 0)
    reach = bounds(found, 2, 0, alpha=0.05)[1] - difference
    assert reach == pytest.approx(3.1824 * error, rel=1e-4)


def test_one_developer_has_no_interval():
    found = fit(
        cells_of(
            np.zeros(4, dtype=np.int64),
            np.array([0, 1, 0, 1]),
            np.array([3.0, 4.0, 3.0, 5.0]),
            np.ones(4),
            shape=(1, 2),
        )
    ).estimates

    assert differences(found, 1, 0)[0] == pytest.approx(1.5)
    assert np.isnan(found.covariance).all()
    assert quantile(0.05, found.clusters).tolist() == [np.inf, np.inf]


@pytest.mark.parametrize(
    ("values", "weights", "words"),
    [([1.0], [1.0, 1.0], "length"), ([1.0, 2.0], [1.0, 0.0], "positive")],
)
def test_what_is_no_day_is_refused(values, weights, words):
    two = np.array([0, 1])

    with pytest.raises(ValueError, match=words):
        cells_of(two, two, np.array(values), np.array(weights), shape=(2, 2))
