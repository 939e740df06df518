from datetime import timedelta
from decimal import Decimal

import pytest

from apps.metrics.histogram import bucket_of
from apps.metrics.models import (
    FIRST_CONTENT,
    TOTAL,
    DayUsage,
    QuarterHosting,
    QuarterLatency,
    QuarterUsage,
)
from tests.factories import NOON, make_candidate, make_hosting, make_person, make_price
from tests.metrics.figures import QUARTER, USAGE_SUMS, call, rate, rebuild, usage

pytestmark = pytest.mark.django_db

NOTHING_TOLD = {
    "prompt_tokens": None,
    "cached_tokens": None,
    "completion_tokens": None,
    "usage_source": "none",
}


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
            1,  # the crashed one; what the provider failed or broke off has cost nothing
            0,  # nobody told their tokens
            0,
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


def test_what_has_no_price_is_told_apart_with_its_tokens_and_answers():
    priced, unknown = make_candidate(), make_candidate()
    make_price(priced, input_usd=2, output_usd=4, cached_usd=1)

    rebuild(
        call(candidate_id=priced.id),
        call(candidate_id=unknown.id),
        call(candidate_id=unknown.id, rateable=False),
        call(candidate_id=unknown.id, rateable=False, **NOTHING_TOLD),
    )

    columns = ("calls", "uncosted", "uncosted_tokens", "uncosted_rateable")
    assert usage(*columns) == [(1, 0, 0, 0), (3, 3, 2 * 1_100, 1)]
    days = DayUsage.objects.order_by("candidate_id").values_list(*columns)
    assert list(days) == usage(*columns)


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
