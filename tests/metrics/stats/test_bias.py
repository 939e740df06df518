import numpy as np
import pytest

from apps.core.intervals import wilson
from apps.metrics.stats.bias import changes_without_one, coverage, extreme_raters, left_share


def test_coverage_is_answered_of_asked():
    assert coverage(3, 12) == 0.25
    assert coverage(0, 0) is None


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(1, 5)] * 5, 1),
        ([(1, 5)] * 4, 0),  # too few to be more than chance
        ([(1, 5)] * 4 + [(1, 4)], 0),
        ([(1, 5)] * 6 + [(2, 1)] * 6 + [(3, 1)] * 3, 2),
        ([], 0),
    ],
)
def test_extreme_raters_give_one_answer_always(answers, expected):
    assert extreme_raters(answers) == expected


def test_the_left_side_has_its_share_of_decided_votes():
    assert left_share(15, 5) == wilson(15, 20)
    assert left_share(0, 0) is None


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        ([[0.2, 0.1], [0.3, 0.1]], False),
        ([[0.2, 0.1], [0.1, 0.3]], True),
        ([[0.2, 0.1], [np.nan, 0.3]], True),
        ([[0.2, 0.1]], None),
    ],
)
def test_first_place_may_hang_on_one_rater(without, expected):
    assert changes_without_one(np.array([0.2, 0.1]), np.array(without)) is expected
