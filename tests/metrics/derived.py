"""Derived rows made directly, so that a test of a page knows every figure on it."""

from datetime import date
from decimal import Decimal

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

ZEROS = dict.fromkeys(
    [
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
        "total_ms",
        "generation_ms",
        "generation_tokens",
        "rateable",
        "rated",
        "liked",
        "stars",
        "stars_sum",
    ],
    0,
)


def _when(at):
    """A date is a day's row, a moment a quarter-hour's."""
    return {"day": at} if type(at) is date else {"quarter": at}


def make_usage(pilot, candidate, at, *, person=1, task="chat", **sums):
    """`calls` calls, finished unless told otherwise; money as text or number of USD."""
    model = DayUsage if type(at) is date else QuarterUsage
    sums = {"ok": sums.get("calls", 0) - sums.get("failed", 0)} | sums
    for name in ("token_usd", "hosting_usd"):
        sums[name] = Decimal(str(sums.get(name, 0)))
    return model.objects.create(
        pilot_id=pilot.id,
        candidate_id=candidate.id,
        person_id=person,
        task=task,
        **_when(at) | ZEROS | sums,
    )


def make_latency(pilot, candidate, at, *, first=(), total=(), task="chat"):
    """One finished call for each duration in milliseconds."""
    model = DayLatency if type(at) is date else QuarterLatency
    for measure, durations in ((FIRST_CONTENT, first), (TOTAL, total)):
        buckets = [bucket_of(ms) for ms in durations]
        for bucket in sorted(set(buckets)):
            model.objects.create(
                pilot_id=pilot.id,
                candidate_id=candidate.id,
                task=task,
                measure=measure,
                bucket=bucket,
                calls=buckets.count(bucket),
                **_when(at),
            )


def make_hosted(pilot, candidate, at, *, busy=0, idle=0):
    model = DayHosting if type(at) is date else QuarterHosting
    return model.objects.create(
        pilot_id=pilot.id,
        candidate_id=candidate.id,
        busy_usd=Decimal(str(busy)),
        idle_usd=Decimal(str(idle)),
        **_when(at),
    )
