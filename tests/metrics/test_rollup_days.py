from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from apps.core.periods import period_of_days, quarters
from apps.metrics.models import (
    DayHosting,
    DayLatency,
    DayUsage,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from tests.factories import NOON, make_candidate, make_hosting, make_person, make_price
from tests.metrics.figures import QUARTER, USAGE_SUMS, call, rate, rebuild

pytestmark = pytest.mark.django_db


def test_days_are_the_sums_of_their_quarter_hours():
    candidate = make_candidate()
    make_price(candidate)
    make_hosting(candidate, usd_per_hour="1.234567890123")
    person = make_person()
    starts = [NOON + QUARTER * n for n in range(-60, 60, 7)]
    records = [
        call(
            candidate_id=candidate.id,
            person_id=person.id,
            at=quarter + timedelta(minutes=minute),
            task=task,
            total_ms=1_000 + 37 * minute,
        )
        for quarter in starts
        for minute, task in ((1, "chat"), (2, "edit"), (3, "chat"))
    ]
    for record in records[::4]:
        rate(record, 5, "stars")

    rebuild(*records, quarters=starts, now=NOON + timedelta(days=2))

    names = [*USAGE_SUMS, "rated", "liked", "stars", "stars_sum", "hosting_usd"]
    sums = {name: Sum(name) for name in names}
    for day in (date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)):
        for task in ("chat", "edit"):
            mine = QuarterUsage.objects.filter(quarter__date=day, task=task)
            row = DayUsage.objects.filter(day=day, task=task).values(*names).get()
            assert row == mine.aggregate(**sums)
            assert row["calls"] > 0
        hosting = QuarterHosting.objects.filter(quarter__date=day)
        assert DayHosting.objects.filter(day=day).values("busy_usd", "idle_usd").get() == (
            hosting.aggregate(busy_usd=Sum("busy_usd"), idle_usd=Sum("idle_usd"))
        )
        latency = QuarterLatency.objects.filter(quarter__date=day)
        counted = latency.values_list("task", "measure", "bucket").annotate(n=Sum("calls"))
        keys = ("task", "measure", "bucket")
        assert sorted(DayLatency.objects.filter(day=day).values_list(*keys, "calls")) == sorted(
            counted
        )


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("Asia/Kathmandu", date(2026, 11, 18), 24),  # a quarter-hour off
        ("UTC", date(2026, 11, 18), 24),
    ],
)
def test_days_are_those_of_the_sites_zone(settings, zone, day, hours):
    settings.TIME_ZONE = zone
    period = period_of_days(day, day, ZoneInfo(zone))
    around = [period.start - QUARTER, *quarters(period), period.end]

    rebuild(*[call(at=at) for at in around], quarters=around, now=period.end + QUARTER)

    days = DayUsage.objects.order_by("day").values_list("day", "calls")
    assert list(days) == [
        (day - timedelta(days=1), 1),
        (day, 4 * hours),
        (day + timedelta(days=1), 1),
    ]
