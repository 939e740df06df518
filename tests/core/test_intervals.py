import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from apps.core.intervals import Interval, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (0, 10, 0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (9, 10, 0.5958, 0.9821),
        (15, 20, 0.5313, 0.8881),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998
        (15, 148, 0.0624, 0.1605),  # Newcombe 1998
        (90, 100, 0.8256, 0.9448),
    ],
)
def test_wilson_gives_the_published_intervals(successes, n, low, high):
    interval = wilson(successes, n)

    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)
    assert interval.mid == successes / n


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy_and_holds_the_share(counts):
    successes, n = counts
    theirs = binomtest(successes, n).proportion_ci(0.9, method="wilson")

    interval = wilson(successes, n, confidence=0.9)

    assert interval.low == pytest.approx(theirs.low, abs=1e-12)
    assert interval.high == pytest.approx(theirs.high, abs=1e-12)
    assert 0 <= interval.low <= interval.mid <= interval.high <= 1


def test_wilson_of_all_and_of_none_reach_the_ends():
    assert wilson(7, 7).high == 1.0
    assert wilson(0, 7).low == 0.0
    assert isinstance(wilson(7, 7), Interval)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_what_is_not_a_share(successes, n):
    with pytest.raises(ValueError, match="not a share"):
        wilson(successes, n)
