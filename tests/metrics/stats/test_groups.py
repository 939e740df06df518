import pytest

from apps.metrics.stats.groups import sets_of


@pytest.mark.parametrize(
    ("count", "met", "expected"),
    [
        (3, [(0, 1), (1, 2)], (0, 0, 0)),
        (4, [(0, 2), (1, 3)], (0, 1, 0, 1)),
        (3, [], (0, 1, 2)),
        (3, [(2, 1), (1, 2)], (0, 1, 1)),
        (0, [], ()),
    ],
)
def test_candidates_that_never_met_are_of_different_sets(count, met, expected):
    assert sets_of(count, met) == expected
