from datetime import timedelta
from decimal import Decimal

import pytest

from apps.dashboard.spending import spending
from apps.metrics.queries_days import DaySpend
from tests.dashboard.pieces import ALL, FIVE, TODAY, candidate

DAYS = [TODAY - timedelta(days=n) for n in (2, 1, 0)]


def days(*amounts, idle=0, uncosted=0):
    return [
        DaySpend(day, Decimal(amount), Decimal(idle), uncosted)
        for day, amount in zip(DAYS, amounts, strict=True)
    ]


def test_a_pilots_spending_adds_up_by_day_and_by_candidate():
    spent = spending(
        [candidate(1), candidate(2), candidate(3)],
        {2: days(1, 2, 3), 1: days(10, 0, 5, idle=2, uncosted=1)},
        reader=ALL,
        budget_usd=None,
        today=TODAY,
        last=TODAY,
        is_running=True,
    )

    assert [(each.candidate.id, each.total_usd) for each in spent.series] == [(1, 15), (2, 6)]
    assert spent.by_day == dict(zip(DAYS, [11, 2, 8], strict=True))
    assert spent.cumulative == [11, 13, 21]
    assert (spent.total_usd, spent.idle_usd, spent.uncosted) == (21, 6, 3)
    assert spent.idle_share == 6 / 21


def test_nothing_spent_is_zero_and_has_no_forecast():
    spent = spending(
        [candidate(1)], {}, reader=ALL, budget_usd=None, today=TODAY, last=TODAY, is_running=True
    )

    assert (spent.total_usd, spent.series, spent.idle_share, spent.at_end) == (0, (), None, None)


def test_only_a_running_pilot_is_forecast():
    def forecast_of(*, is_running):
        five = [
            DaySpend(TODAY - timedelta(days=n), Decimal(2), Decimal(0), 0) for n in (4, 3, 2, 1, 0)
        ]
        last = TODAY + timedelta(days=1)
        return spending(
            [candidate(1)],
            {1: five},
            reader=ALL,
            budget_usd=None,
            today=TODAY,
            last=last,
            is_running=is_running,
        ).at_end

    assert forecast_of(is_running=True).mid_usd == 12
    assert forecast_of(is_running=False) is None


def shared(callers, reader=FIVE):
    """What is told of candidates that cost a dollar for each of their callers, by candidate id."""
    own = {
        key: [DaySpend(TODAY, Decimal(len(people)), Decimal(0), 1, frozenset(people))]
        for key, people in callers.items()
    }
    return spending(
        [candidate(key) for key in callers],
        own,
        reader=reader,
        budget_usd=None,
        today=TODAY,
        last=TODAY,
        is_running=True,
    )


@pytest.mark.parametrize(
    ("callers", "shown", "has_hidden", "is_course_hidden"),
    [
        ({1: range(6), 2: range(5)}, [1, 2], False, False),
        # Beside the sum, what the first cost would tell what the second did.
        ({1: range(6), 2: range(2)}, [], True, False),
        # These two are five together.
        ({1: range(6), 2: range(2), 3: range(2, 5)}, [1], True, False),
        ({1: range(2), 2: range(2)}, [], True, True),
    ],
)
def test_sums_of_few_people_are_not_split(callers, shown, has_hidden, is_course_hidden):
    spent = shared(callers)

    assert [series.candidate.id for series in spent.series] == shown
    assert (spent.has_hidden, spent.is_course_hidden) == (has_hidden, is_course_hidden)
    # The sum is everybody's to know.
    assert spent.total_usd == sum(len(people) for people in callers.values())
    assert shared(callers, reader=ALL).has_hidden is False


def test_calls_without_a_price_are_counted_only_where_all_candidates_are_shown():
    assert shared({1: range(6)}).uncosted_words == "1 call has no price and is not in it"
    assert shared({1: range(6), 2: range(6)}).uncosted_words == (
        "2 calls have no price and are not in it"
    )
    assert shared({1: range(6), 2: [1]}).uncosted_words == (
        "some calls have no price and are not in it"
    )
