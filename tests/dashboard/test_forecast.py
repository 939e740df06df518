from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.dashboard.forecast import Forecast, forecast

MONDAY = date(2026, 11, 2)


def spent(*amounts):
    return {MONDAY + timedelta(days=n): Decimal(amount) for n, amount in enumerate(amounts)}


def test_the_same_every_day_goes_on_the_same_without_a_range():
    found = forecast(
        spent(10, 10, 10, 10, 4), today=MONDAY + timedelta(days=4), last=date(2026, 11, 8)
    )

    assert found == [
        Forecast(date(2026, 11, day), *[Decimal(amount)] * 3)
        for day, amount in ((6, 50), (7, 60), (8, 70))
    ]


def test_weekends_are_expected_to_be_weekends():
    week = (10, 10, 10, 10, 10, 2, 2)

    found = forecast(spent(*week), today=date(2026, 11, 9), last=date(2026, 11, 15))

    assert found[-1] == Forecast(date(2026, 11, 15), *[Decimal(54 * 2)] * 3)


def test_the_range_is_the_prediction_interval_of_a_sum():
    # Mean 10, variance 4 of four days: three more vary by 4 * 3, their mean by 4 * 9 / 4.
    found = forecast(spent(8, 10, 12, 10), today=date(2026, 11, 6), last=date(2026, 11, 8))

    variance = Decimal(8) / 3
    half = Decimal("1.959964") * (variance * (3 + Decimal(9) / 4)).sqrt()
    assert found[-1].mid_usd == 70
    assert found[-1].low_usd == pytest.approx(70 - half)
    assert found[-1].high_usd == pytest.approx(70 + half)


def test_what_is_spent_today_is_the_least_there_will_be():
    found = forecast(spent(10, 10, 10, 40), today=date(2026, 11, 5), last=date(2026, 11, 5))

    assert found == [Forecast(date(2026, 11, 5), *[Decimal(70)] * 3)]


@pytest.mark.parametrize("amounts", [(), (10,), (10, 10, 5)])
def test_fewer_than_three_whole_days_foretell_nothing(amounts):
    today = MONDAY + timedelta(days=max(0, len(amounts) - 1))

    assert forecast(spent(*amounts), today=today, last=date(2026, 11, 29)) == []


def test_a_pilot_that_is_over_has_no_future():
    assert forecast(spent(1, 1, 1, 1), today=date(2026, 11, 6), last=date(2026, 11, 5)) == []
