"""Calls, ratings and hosting in; figures out, to the last digit."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.feedback.models import Rating
from apps.metrics.histogram import bucket_of
from apps.metrics.models import (
    FIRST_CONTENT,
    TOTAL,
    DayHosting,
    DayLatency,
    DayUsage,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from apps.metrics.rebuild import rebuild_quarters
from apps.usage.ingest import store_records
from tests.factories import (
    NOON,
    make_candidate,
    make_hosting,
    make_person,
    make_pilot,
    make_price,
    make_record,
    make_trial,
)

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=1)
QUARTER = timedelta(minutes=15)
NOTHING_TOLD = {
    "prompt_tokens": None,
    "cached_tokens": None,
    "completion_tokens": None,
    "usage_source": "none",
}
USAGE_SUMS = (
    "calls",
    "ok",
    "cancelled",
    "failed",
    "uncosted",
    "estimated",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "token_usd",
    "total_ms",
    "generation_ms",
    "generation_tokens",
    "rateable",
)


def call(**fields):
    return make_record(**{"pilot_id": 1, "person_id": 2, "candidate_id": 3} | fields)


def rebuild(*records, quarters=(NOON,), now=LATER):
    store_records(records)
    return rebuild_quarters(quarters, now=now)


def usage(*columns):
    rows = QuarterUsage.objects.order_by("quarter", "pilot_id", "candidate_id", "person_id", "task")
    return list(rows.values_list(*columns))


def rate(record, score, scale="thumbs", person_id=None, **fields):
    return Rating.objects.create(
        call_id=record.id,
        call_admitted_at=record.admitted_at,
        pilot_id=record.pilot_id,
        candidate_id=record.candidate_id,
        person_id=person_id or record.person_id,
        scale=scale,
        score=score,
        via="test",
        rated_at=NOON,
        updated_at=NOON,
        **fields,
    )


def test_a_quarter_hour_is_counted_exactly():
    candidate = make_candidate()
    make_price(candidate, input_usd=2, output_usd=4, cached_usd=1)

    rebuild(
        *[
            call(candidate_id=candidate.id, **fields)
            for fields in (
                {"cached_tokens": 600},
                {"total_ms": 250},  # no time between first content and the end: no speed
                {"streamed": False, "rateable": False},  # a plain answer has no speed
                {"outcome": "client_cancelled", "usage_source": "estimated", "rateable": False},
                {"outcome": "upstream_error", "total_ms": 9, "rateable": False} | NOTHING_TOLD,
                {"outcome": "crashed_unknown", "total_ms": None, "rateable": False} | NOTHING_TOLD,
                {"outcome": "upstream_timeout", "rateable": False} | NOTHING_TOLD,
                {"outcome": "stream_broken", "rateable": False} | NOTHING_TOLD,
            )
        ]
    )

    assert usage(*USAGE_SUMS) == [
        (
            8,
            3,
            1,
            4,
            2,  # the crashed and the broken one; what the provider failed has cost nothing
            1,
            4_000,
            600,
            400,
            Decimal("0.0018") + 3 * Decimal("0.0024"),
            5 * 2_250 + 250 + 9,
            2_000,
            100,
            2,
        )
    ]


def test_rows_are_kept_apart_by_pilot_candidate_person_and_task():
    base = {"pilot_id": 1, "candidate_id": 1, "person_id": 1}

    rebuild(
        call(**base),
        call(**base | {"pilot_id": 2}),
        call(**base | {"candidate_id": 2}),
        call(**base | {"person_id": 2}),
        call(**base, task="edit"),
        call(**base, task="edit"),
    )

    assert usage("pilot_id", "candidate_id", "person_id", "task", "calls") == [
        (1, 1, 1, "chat", 1),
        (1, 1, 1, "edit", 2),
        (1, 1, 2, "chat", 1),
        (1, 2, 1, "chat", 1),
        (2, 1, 1, "chat", 1),
    ]


def test_a_quarter_hour_is_half_open():
    millisecond = timedelta(milliseconds=1)

    rebuild(
        *[call(at=at) for at in (NOON - millisecond, NOON, NOON + QUARTER - millisecond)],
        call(at=NOON + QUARTER),
    )

    assert usage("quarter", "calls") == [(NOON, 2)]


@pytest.mark.parametrize(
    ("source", "rows"), [("gateway", 1), ("compare", 1), ("probe", 0), ("ide", 0), ("imported", 0)]
)
def test_only_calls_through_our_endpoint_count(source, rows):
    candidate = make_candidate()
    make_hosting(candidate)

    rebuild(call(candidate_id=candidate.id, source=source))

    assert (QuarterUsage.objects.count(), QuarterLatency.objects.count()) == (rows, 2 * rows)
    hosting = QuarterHosting.objects.values_list("busy_usd", "idle_usd").get()
    assert hosting == (Decimal(rows), Decimal(1 - rows))


def test_ratings_count_with_the_calls_they_are_about():
    rater = make_person()
    up, down, four, three, withdrawn, by_other, late = (call(person_id=rater.id) for _ in range(7))
    rate(up, 1)
    rate(down, 0)
    rate(four, 4, "stars")
    rate(three, 3, "stars")
    rate(withdrawn, 1, withdrawn_at=NOON)
    rate(by_other, 1, person_id=make_person().id)

    rebuild(up, down, four, three, withdrawn, by_other, late)

    assert usage("calls", "rateable", "rated", "liked", "stars", "stars_sum") == [
        (7, 7, 4, 2, 2, 7)
    ]


def test_latencies_are_those_of_finished_calls():
    rebuild(
        call(first_content_ms=250, total_ms=2_000),
        call(first_content_ms=251, total_ms=9_000),
        call(first_content_ms=700, total_ms=2_000, streamed=False),
        call(first_content_ms=None, total_ms=None),
        call(outcome="client_cancelled"),
        call(outcome="upstream_error"),
        call(task="edit", first_content_ms=0, total_ms=2**31 - 1),
    )

    rows = QuarterLatency.objects.order_by("task", "measure", "bucket")
    assert bucket_of(250) == bucket_of(251)
    assert list(rows.values_list("task", "measure", "bucket", "calls")) == [
        ("chat", FIRST_CONTENT, bucket_of(250), 2),
        ("chat", TOTAL, bucket_of(2_000), 2),
        ("chat", TOTAL, bucket_of(9_000), 1),
        ("edit", FIRST_CONTENT, 0, 1),
        ("edit", TOTAL, bucket_of(2**31 - 1), 1),
    ]


# Hosting


def hosting_rows():
    rows = QuarterHosting.objects.order_by("quarter", "candidate_id", "pilot_id")
    return list(rows.values_list("quarter", "pilot_id", "busy_usd", "idle_usd"))


def test_a_quarter_hours_machines_are_shared_by_duration():
    candidate = make_candidate()
    make_hosting(candidate, usd_per_hour=3, count=4)
    mine = {"candidate_id": candidate.id}

    rebuild(
        call(**mine, person_id=1, total_ms=1_000),
        call(**mine, person_id=1, total_ms=2_000),
        call(**mine, person_id=2, total_ms=None, outcome="crashed_unknown"),
        call(**mine, person_id=3, total_ms=3_000, pilot_id=9),
    )

    assert usage("pilot_id", "person_id", "hosting_usd") == [
        (1, 1, Decimal("1.5")),
        (1, 2, Decimal(0)),
        (9, 3, Decimal("1.5")),
    ]
    assert hosting_rows() == [(NOON, 1, Decimal("1.5"), 0), (NOON, 9, Decimal("1.5"), 0)]


def test_calls_that_took_no_time_share_equally():
    candidate = make_candidate()
    make_hosting(candidate, usd_per_hour=4)
    mine = {"candidate_id": candidate.id, "first_content_ms": None}

    rebuild(
        call(**mine, person_id=1, total_ms=0),
        call(**mine, person_id=1, total_ms=None),
        call(**mine, person_id=2, total_ms=0),
    )

    assert usage("person_id", "hosting_usd") == [
        (1, Decimal("0.666666666667")),
        (2, Decimal("0.333333333333")),
    ]


@pytest.mark.parametrize(
    ("start", "end", "cost"),
    [
        (-60, None, "1"),  # still running
        (-60, 60, "1"),
        (5, None, "0.666666666667"),  # ten minutes of it
        (-60, 3, "0.2"),
        (5, 8, "0.2"),
        (0, 15, "1"),
    ],
)
def test_only_the_time_that_machines_ran_costs(start, end, cost):
    make_hosting(
        make_candidate(),
        started_at=NOON + timedelta(minutes=start),
        ended_at=None if end is None else NOON + timedelta(minutes=end),
    )

    rebuild()

    assert hosting_rows() == [(NOON, None, 0, Decimal(cost))]


@pytest.mark.parametrize(("start", "end"), [(-60, 0), (15, None)])
def test_machines_that_did_not_run_have_no_row(start, end):
    make_hosting(
        make_candidate(),
        started_at=NOON + timedelta(minutes=start),
        ended_at=None if end is None else NOON + timedelta(minutes=end),
    )

    rebuild()

    assert hosting_rows() == []


def test_several_stretches_in_a_quarter_hour_add_up():
    candidate = make_candidate()
    for first, last, count in ((0, 3, 1), (3, 6, 2), (10, 15, 1)):
        make_hosting(
            candidate,
            usd_per_hour=6,
            count=count,
            started_at=NOON + timedelta(minutes=first),
            ended_at=NOON + timedelta(minutes=last),
        )

    rebuild()

    assert hosting_rows() == [(NOON, None, 0, Decimal("0.3") + Decimal("0.6") + Decimal("0.5"))]


def test_a_quarter_hour_in_the_future_has_cost_nothing():
    make_hosting(make_candidate())

    rebuild(quarters=[NOON, NOON + QUARTER], now=NOON)

    assert hosting_rows() == [(NOON, None, 0, Decimal(1))]


def test_idle_machines_are_paid_by_the_pilots_that_had_them_on_trial():
    candidate = make_candidate()
    make_hosting(candidate, usd_per_hour=4)
    one, two, three = make_pilot(), make_pilot(), make_pilot()
    make_trial(one, candidate, dropped_at=NOON + timedelta(minutes=1))
    make_trial(one, candidate, added_at=NOON + timedelta(minutes=2))  # again: still one pilot
    make_trial(two, candidate)
    make_trial(three, candidate)
    not_theirs = [
        make_trial(make_pilot()),
        make_trial(make_pilot(), candidate, added_at=NOON + QUARTER),
        make_trial(make_pilot(), candidate, dropped_at=NOON),
        make_trial(make_pilot(closed_at=NOON), candidate),
        make_trial(make_pilot(starts_on=date(2026, 11, 19)), candidate),
        make_trial(make_pilot(ends_on=date(2026, 11, 17)), candidate),
    ]

    rebuild()

    assert hosting_rows() == [
        (NOON, one.id, 0, Decimal("0.333333333333")),
        (NOON, two.id, 0, Decimal("0.333333333334")),
        (NOON, three.id, 0, Decimal("0.333333333333")),
    ]
    assert len(not_theirs) == 6


def test_one_call_makes_the_whole_quarter_hour_busy():
    candidate = make_candidate()
    make_hosting(candidate)
    make_trial(make_pilot(), candidate)

    rebuild(call(candidate_id=candidate.id, pilot_id=7, total_ms=1))

    assert hosting_rows() == [(NOON, 7, Decimal(1), 0)]


def test_calls_of_hosted_candidates_are_not_uncosted():
    candidate = make_candidate()
    make_hosting(
        candidate,
        started_at=NOON + timedelta(minutes=1),
        ended_at=NOON + timedelta(minutes=2),
    )
    minutes = (0, 1, 2)

    rebuild(*[call(candidate_id=candidate.id, at=NOON + timedelta(minutes=at)) for at in minutes])

    assert usage("calls", "uncosted", "token_usd") == [(3, 2, 0)]


DURATIONS = st.lists(st.none() | st.integers(0, 900_000), min_size=1, max_size=12)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(DURATIONS, st.decimals("0.000000000001", 999, places=12), st.integers(1, 8))
def test_shares_of_machines_add_up_to_their_cost(durations, usd_per_hour, count):
    candidate = make_candidate()
    make_hosting(
        candidate,
        usd_per_hour=usd_per_hour,
        count=count,
        started_at=NOON + timedelta(seconds=7),
        ended_at=NOON + timedelta(days=1),
    )
    mine = {"candidate_id": candidate.id, "first_content_ms": None}
    calls = [call(**mine, person_id=index, total_ms=ms) for index, ms in enumerate(durations)]
    quarters = [NOON, NOON + QUARTER]  # one with calls, one idle
    for _ in range(3):
        make_trial(make_pilot(), candidate)

    rebuild(*calls, quarters=quarters)

    rows = QuarterHosting.objects.filter(candidate_id=candidate.id)
    shares = QuarterUsage.objects.filter(candidate_id=candidate.id)
    cost = dict(rows.values_list("quarter").annotate(usd=Sum("busy_usd") + Sum("idle_usd")))
    whole = usd_per_hour * count / 4
    assert (
        cost[NOON]
        == rows.get(quarter=NOON).busy_usd
        == shares.aggregate(usd=Sum("hosting_usd"))["usd"]
    )
    assert abs(cost[NOON] - whole * 893 / 900) <= Decimal("5e-13")
    assert abs(cost[NOON + QUARTER] - whole) <= Decimal("5e-13")
    total = sum(ms or 0 for ms in durations)
    for row in shares:
        ms = durations[row.person_id] or 0
        share = Decimal(ms) / total if total else Decimal(1) / len(durations)
        assert abs(row.hosting_usd - cost[NOON] * share) <= Decimal("1e-12")
        assert row.hosting_usd >= 0


# Days


def test_days_are_the_sums_of_their_quarter_hours():
    candidate = make_candidate()
    make_price(candidate)
    make_hosting(candidate, usd_per_hour="1.234567890123")
    person = make_person()
    quarters = [NOON + QUARTER * n for n in range(-60, 60, 7)]
    records = [
        call(
            candidate_id=candidate.id,
            person_id=person.id,
            at=quarter + timedelta(minutes=minute),
            task=task,
            total_ms=1_000 + 37 * minute,
        )
        for quarter in quarters
        for minute, task in ((1, "chat"), (2, "edit"), (3, "chat"))
    ]
    for record in records[::4]:
        rate(record, 5, "stars")

    rebuild(*records, quarters=quarters, now=NOON + timedelta(days=2))

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
    from zoneinfo import ZoneInfo

    from apps.core.periods import period_of_days, quarters

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
