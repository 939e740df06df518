from datetime import timedelta
from decimal import Decimal

from apps.dashboard.spending import spending
from apps.metrics.queries_days import DaySpend
from tests.dashboard.pieces import ALL, TODAY, candidate

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
