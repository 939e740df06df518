import pytest

from apps.metrics.stats.shrinkage import shrunken_mean


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [(15, 3, 4.08), (0, 0, 3.8), (500, 100, 4.89), (1, 1, 3.55)],
)
def test_few_ratings_are_drawn_to_the_mean_of_all(total, count, expected):
    assert shrunken_mean(total, count, prior_mean=3.8) == pytest.approx(expected, abs=0.005)


def test_without_ratings_or_assumed_ones_there_is_no_mean():
    with pytest.raises(ValueError, match="no mean"):
        shrunken_mean(0, 0, prior_mean=3.8, pseudo=0)
