"""Calls in, figures out: what the tests of the sums share."""

from datetime import timedelta

from apps.feedback.models import Rating
from apps.metrics.models import QuarterUsage
from apps.metrics.rebuild import rebuild_quarters
from apps.usage.ingest import store_records
from tests.factories import NOON, make_record

LATER = NOON + timedelta(hours=1)
QUARTER = timedelta(minutes=15)
USAGE_SUMS = (
    "calls",
    "ok",
    "cancelled",
    "failed",
    "uncosted",
    "uncosted_tokens",
    "uncosted_rateable",
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
