import numpy as np
import pytest
from scipy import stats

from apps.metrics.stats.contrasts import (
    Estimates,
    bounds,
    differences,
    each_interval,
    is_best,
    pseudo_inverse,
    quantile,
    ranks,
)

FOUND = Estimates(
    np.array([0.3, 0.0, -0.3]),
    np.array([[0.02, -0.01, -0.01], [-0.01, 0.02, -0.01], [-0.01, -0.01, 0.02]]),
    np.array([11, 11, 11]),
)


def test_a_difference_has_the_error_of_both():
    difference, error = differences(FOUND, 0, 2)

    assert difference == pytest.approx(0.6)
    assert error == pytest.approx(np.sqrt(0.06))


def test_intervals_use_students_t_on_people_less_one():
    low, high = bounds(FOUND, 0, 2, alpha=0.05)

    reach = stats.t.ppf(0.975, 10) * np.sqrt(0.06)
    assert (low, high) == pytest.approx((0.6 - reach, 0.6 + reach))
    assert quantile(0.05, np.array([1, 2])).tolist() == pytest.approx([np.inf, 12.7062], abs=1e-4)


def test_each_has_an_interval_of_its_own():
    low, high = each_interval(FOUND, alpha=0.05)

    reach = stats.t.ppf(0.975, 10) * np.sqrt(0.02)
    assert low == pytest.approx(FOUND.effects - reach)
    assert high == pytest.approx(FOUND.effects + reach)


def test_two_intervals_part_exactly_where_their_difference_is_told_from_nothing():
    spread = np.array([[1.0, -1.0], [-1.0, 1.0]]) * 0.01
    two = Estimates(np.array([0.2, -0.2]), spread, np.array([9, 9]))

    lows, highs = each_interval(two, alpha=0.05)

    low, _ = bounds(two, 0, 1, alpha=0.05)
    assert lows[0] - highs[1] == pytest.approx(low)


@pytest.mark.parametrize(("alpha", "expected"), [(0.5, True), (0.05, False)])
def test_the_best_is_separated_from_every_rival(alpha, expected):
    assert bool(is_best(FOUND, 0, alpha=alpha)) is expected


def test_nobody_is_separated_where_nothing_is_known():
    unknown = Estimates(FOUND.effects, np.full((3, 3), np.nan), np.array([1, 1, 1]))

    assert not is_best(unknown, 0, alpha=0.5)


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(0, 1), (2, 3)], [(2, 2), (1, 1)]),
        ([(0, 2), (1, 3)], [(1, 2), (1, 2)]),
        ([(0, 1), (0.5, 2.5), (2, 3)], [(2, 3), (1, 3), (1, 2)]),
        ([(0, 1)], [(1, 1)]),
    ],
)
def test_a_rank_counts_who_lies_wholly_above(intervals, expected):
    assert ranks([low for low, _ in intervals], [high for _, high in intervals]) == expected


def test_the_null_space_is_left_out():
    laplacian = np.array([[1.0, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 2, -2], [0, 0, -2, 2]])

    inverse, rank = pseudo_inverse(laplacian)

    assert inverse == pytest.approx(np.linalg.pinv(laplacian))
    assert rank == 2
