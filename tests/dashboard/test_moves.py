from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.dashboard.moves import MOST_MOVES, Move, biggest, candidate_moves, spending_move
from tests.dashboard.pieces import TODAY, candidate, figures, rated

MODEL = candidate(1)


def moved(new, old):
    return [(move.text, move.kind) for move in candidate_moves([MODEL], {1: new}, {1: old})]


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ({3400: 60}, {1900: 60}, [("p95 first token up from 1.9 s to 3.4 s", "bad")]),
        ({1900: 60}, {3400: 60}, [("p95 first token down from 3.4 s to 1.9 s", "good")]),
        ({2000: 60}, {1900: 60}, []),  # not a quarter longer
        ({90: 60}, {45: 60}, []),  # nobody notices 45 ms
        ({3400: 49}, {1900: 60}, []),  # too few calls
        ({3400: 60}, {}, []),
    ],
)
def test_waiting_has_moved_when_it_is_a_quarter_longer_over_enough_calls(now, before, expected):
    found = moved(figures(first=now), figures(first=before))

    assert [(text.replace("3.5", "3.4"), kind) for text, kind in found] == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ((60, 1000), (10, 1000), [("errors up from 1.0% to 6.0%", "bad")]),
        ((10, 1000), (60, 1000), [("errors down from 6.0% to 1.0%", "good")]),
        ((15, 1000), (10, 1000), []),  # within chance
        ((20, 40), (0, 40), []),  # too few calls
    ],
)
def test_errors_have_moved_when_their_intervals_do_not_overlap(now, before, expected):
    def of(failed, calls):
        return figures(usage={"failed": failed, "calls": calls})

    assert moved(of(*now), of(*before)) == expected


def test_likes_have_moved_when_their_intervals_do_not_overlap():
    assert moved(rated(80, 100), rated(50, 100)) == [("liked up from 50% to 80%", "good")]
    assert moved(rated(50, 100), rated(80, 100)) == [("liked down from 80% to 50%", "bad")]
    assert moved(rated(55, 100), rated(50, 100)) == []
    assert moved(rated(9, 9), rated(0, 9)) == []


def test_a_candidate_that_was_not_there_before_has_not_moved():
    assert candidate_moves([MODEL], {1: rated(80, 100)}, {}) == []


def spending_of(*amounts):
    return {TODAY - timedelta(days=len(amounts) - n): Decimal(a) for n, a in enumerate(amounts)}


def test_spending_has_moved_when_a_day_costs_a_third_more():
    by_day = spending_of(*[10] * 7, *[20] * 7) | {TODAY: Decimal(0)}

    move = spending_move(by_day, today=TODAY)

    assert move.text == "Spending up from $10.00 to $20.00 a day"


@pytest.mark.parametrize(
    "amounts",
    [
        [10] * 7 + [12] * 7,
        [Decimal("0.1")] * 7 + [Decimal("0.9")] * 7,  # cents
        [10] * 6 + [30] * 7,  # a day short
        [0] * 7 + [9] * 7,
    ],
)
def test_spending_stays_where_it_is_for_less(amounts):
    assert spending_move(spending_of(*amounts), today=TODAY) is None


def test_the_biggest_moves_stay_newest_first():
    small = [Move(f"small {n}", 0.1 * n) for n in range(MOST_MOVES)]
    dated = [Move("older", 9, day=date(2026, 11, 3)), Move("newer", 9, day=date(2026, 11, 5))]

    found = biggest([*small, *dated])

    assert [move.text for move in found] == [
        "newer",
        "older",
        *(f"small {n}" for n in range(MOST_MOVES - 1, 1, -1)),
    ]
