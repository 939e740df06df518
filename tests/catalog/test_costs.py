from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import AuditEntry
from apps.catalog.costs import (
    HostingEndsBeforeItStarts,
    HostingOverlaps,
    PriceInThePast,
    StartsInTheFuture,
    change_hosting,
    set_price,
    start_hosting,
    stop_hosting,
)
from apps.catalog.models import HostingInterval, Price
from apps.changes.models import DirtySlice
from tests.factories import NOON, make_candidate, make_hosting, make_price

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PRICES = {
    "input_usd_per_mtok": Decimal("0.15"),
    "cached_usd_per_mtok": Decimal("0.075"),
    "output_usd_per_mtok": Decimal("0.6"),
}


def spans(candidate):
    return list(
        candidate.prices.order_by("valid_from").values_list(
            "input_usd_per_mtok", "valid_from", "valid_to"
        )
    )


def dirty():
    return list(DirtySlice.objects.order_by("quarter").values_list("quarter", flat=True))


def quarters(first, last):
    count = int((last - first) / timedelta(minutes=15))
    return [first + number * timedelta(minutes=15) for number in range(count)]


def test_first_price_is_in_force_from_now():
    candidate = make_candidate(slug="qwen")

    price = set_price(candidate=candidate, now=NOON, source="genai-prices", **PRICES)

    stored = Price.objects.values(*PRICES, "valid_from", "valid_to", "source", "currency").get()
    assert stored == PRICES | {
        "valid_from": NOON,
        "valid_to": None,
        "source": "genai-prices",
        "currency": "USD",
    }
    assert list(Price.objects.in_force(at=NOON)) == [price]
    assert AuditEntry.objects.values_list("action", "subject", "detail").get() == (
        "price set",
        "candidate qwen",
        {
            "usd_per_mtok": ["0.15", "0.075", "0.6"],
            "from": "2026-11-18T12:00:00Z",
            "source": "genai-prices",
        },
    )


def test_new_price_closes_the_one_before_without_a_gap():
    candidate = make_candidate()
    make_price(candidate, input_usd=9, valid_from=NOON - DAY)

    set_price(candidate=candidate, now=NOON, **PRICES)

    assert spans(candidate) == [
        (Decimal(9), NOON - DAY, NOON),
        (Decimal("0.15"), NOON, None),
    ]


@pytest.mark.parametrize("before", [timedelta(0), HOUR])
def test_price_that_would_overwrite_another_is_refused(before):
    candidate = make_candidate()
    make_price(candidate, valid_from=NOON)

    with pytest.raises(PriceInThePast) as refused:
        set_price(candidate=candidate, now=NOON + DAY, valid_from=NOON - before, **PRICES)

    assert refused.value.since == NOON
    assert len(spans(candidate)) == 1


def test_price_may_not_reach_into_a_closed_one():
    candidate = make_candidate()
    make_price(candidate, valid_from=NOON - DAY, valid_to=NOON)

    with pytest.raises(PriceInThePast):
        set_price(candidate=candidate, now=NOON + DAY, valid_from=NOON - HOUR, **PRICES)
    set_price(candidate=candidate, now=NOON + DAY, valid_from=NOON, **PRICES)

    assert [start for _, start, _ in spans(candidate)] == [NOON - DAY, NOON]


def test_price_of_the_future_is_refused():
    with pytest.raises(StartsInTheFuture):
        set_price(candidate=make_candidate(), now=NOON, valid_from=NOON + HOUR, **PRICES)


def test_price_in_another_currency_keeps_its_dated_rate():
    candidate = make_candidate()

    set_price(
        candidate=candidate,
        now=NOON,
        currency="EUR",
        usd_per_unit=Decimal("1.1"),
        rate_date=date(2026, 11, 17),
        **PRICES,
    )

    told = Price.objects.values_list("currency", "usd_per_unit", "rate_date").get()
    assert told == ("EUR", Decimal("1.1"), date(2026, 11, 17))


def test_machines_are_counted_and_make_up_no_price():
    candidate = make_candidate(created_at=NOON - DAY)

    interval = start_hosting(
        candidate=candidate, usd_per_hour=Decimal("2.5"), count=2, started_at=NOON, now=NOON + HOUR
    )

    stored = HostingInterval.objects.values_list("usd_per_hour", "count", "started_at", "ended_at")
    assert stored.get(id=interval.id) == (Decimal("2.5"), 2, NOON, None)
    assert spans(candidate) == []
    assert dirty() == quarters(NOON, NOON + HOUR)


def test_machines_beside_a_price_leave_it_alone():
    candidate = make_candidate()
    make_price(candidate, input_usd=9)

    start_hosting(candidate=candidate, usd_per_hour=Decimal(1), now=NOON)

    assert [price for price, _, _ in spans(candidate)] == [Decimal(9)]


def test_machines_are_stopped_now_or_at_a_moment_before():
    candidate = make_candidate()
    first = start_hosting(candidate=candidate, usd_per_hour=Decimal(1), now=NOON)
    stop_hosting(interval=first, now=NOON + HOUR)
    second = start_hosting(candidate=candidate, usd_per_hour=Decimal(1), now=NOON + 2 * HOUR)
    stop_hosting(interval=second, now=NOON + 9 * HOUR, ended_at=NOON + 3 * HOUR)

    ends = HostingInterval.objects.order_by("id").values_list("ended_at", flat=True)
    assert list(ends) == [NOON + HOUR, NOON + 3 * HOUR]


def test_correction_computes_again_what_was_and_what_is_covered():
    interval = make_hosting(make_candidate(slug="qwen"), started_at=NOON, ended_at=NOON + HOUR)

    change_hosting(
        interval=interval,
        usd_per_hour=Decimal(3),
        count=4,
        started_at=NOON + 2 * HOUR,
        ended_at=NOON + 3 * HOUR,
        now=NOON + DAY,
    )

    stored = HostingInterval.objects.values_list("usd_per_hour", "count", "started_at", "ended_at")
    assert stored.get() == (Decimal(3), 4, NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert dirty() == [
        *quarters(NOON, NOON + HOUR),
        *quarters(NOON + 2 * HOUR, NOON + 3 * HOUR),
    ]
    assert AuditEntry.objects.values_list("action", "subject").get() == (
        "hosting changed",
        "candidate qwen",
    )


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (HOUR, None, StartsInTheFuture),
        (-2 * HOUR, HOUR, StartsInTheFuture),
        (-HOUR, -HOUR, HostingEndsBeforeItStarts),
        (-HOUR, -2 * HOUR, HostingEndsBeforeItStarts),
        (-30 * HOUR, -20 * HOUR, HostingOverlaps),  # into the interval of the day before
        (-30 * HOUR, None, HostingOverlaps),  # over all of it
        (-23 * HOUR, None, HostingOverlaps),  # from within it
    ],
)
def test_machines_at_impossible_times_are_refused(start, end, problem):
    candidate = make_candidate()
    make_hosting(candidate, started_at=NOON - DAY, ended_at=NOON - DAY + 2 * HOUR)

    with pytest.raises(problem):
        start_hosting(
            candidate=candidate,
            usd_per_hour=Decimal(1),
            started_at=NOON + start,
            ended_at=None if end is None else NOON + end,
            now=NOON,
        )

    assert (HostingInterval.objects.count(), dirty()) == (1, [])


def test_intervals_may_touch():
    candidate = make_candidate()
    make_hosting(candidate, started_at=NOON - DAY, ended_at=NOON)

    start_hosting(candidate=candidate, usd_per_hour=Decimal(1), now=NOON)

    assert HostingInterval.objects.count() == 2
