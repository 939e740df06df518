"""Makes up a pilot's calls, the same for the same seed, for tests, the demo and the benchmarks.

It yields call records, not rows: they take the way that real calls take, through the stream and the
drain. Developers work on weekdays, more in the morning and the afternoon; some call ten times as
often as others; most calls are autocompletions, of which every third is abandoned.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from apps.core.periods import Period
from apps.core.uuid7 import compose
from apps.gateway.contract import Attempt, CallRecord

# Share of a working day's calls by local hour, from 7 to 19.
HOURS: Final = np.array([1, 4, 9, 12, 11, 5, 7, 11, 12, 11, 8, 4, 2], dtype=float)
FIRST_HOUR: Final = 7
WEEKEND_SHARE: Final = 0.04


@dataclass(frozen=True, slots=True)
class TaskShape:
    """What calls of a task look like: medians of tokens, shares of all calls and of abandoned."""

    endpoint: str
    share: float
    prompt_tokens: int
    completion_tokens: int
    cached_share: float
    abandoned: float
    rateable: bool


SHAPES: Final = {
    "autocomplete": TaskShape("completions", 0.58, 1_100, 24, 0.0, 0.34, False),
    "chat": TaskShape("chat/completions", 0.24, 1_900, 340, 0.35, 0.03, True),
    "edit": TaskShape("chat/completions", 0.11, 1_400, 260, 0.15, 0.04, True),
    "agent": TaskShape("chat/completions", 0.07, 9_500, 420, 0.6, 0.05, True),
}


@dataclass(frozen=True, slots=True)
class CandidateShape:
    """How a candidate behaves: median time to first content, speed in tokens a second, failures.

    `weight` is its share of the calls beside the others'.
    """

    candidate_id: int
    provider_id: int
    alias: str
    first_content_ms: float = 400
    tokens_per_s: float = 40
    failure_rate: float = 0.01
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Caller:
    """A developer with a key; `weight` says how much they call beside the others."""

    person_id: int
    key_id: int | None
    weight: float = 1.0
    first_day: int = 0
    last_day: int | None = None


# Who answers a caller's task at a moment, where that is not left to chance; None where it is.
Pick = Callable[[Caller, datetime, str], CandidateShape | None]


def generate_calls(
    *,
    seed: int,
    pilot_id: int,
    period: Period,
    zone: ZoneInfo,
    callers: Sequence[Caller],
    candidates: Sequence[CandidateShape],
    count: int,
    pick: Pick | None = None,
) -> Iterator[CallRecord]:
    """Yield `count` records in order of time, every one inside the period.

    Raises ValueError when nobody works in the period.
    """
    rng = np.random.default_rng(seed)
    days = max(1, -(-period.length // timedelta(days=1)))
    slots, weights = _slots(period, zone, days, callers)
    if not slots:
        raise ValueError("no caller is at work in this period")
    chosen = rng.choice(len(slots), size=count, p=np.array(weights) / sum(weights))
    offsets = rng.uniform(0, 1, size=count)
    moments = []
    for slot, offset in zip(chosen, offsets, strict=True):
        start, length, caller = slots[int(slot)]
        moments.append((start + length * float(offset), caller))
    moments.sort(key=lambda moment: (moment[0], moment[1].person_id))
    share = np.array([shape.weight for shape in candidates])
    tasks, task_share = list(SHAPES), np.array([shape.share for shape in SHAPES.values()])
    for at, caller in moments:
        candidate = candidates[int(rng.choice(len(candidates), p=share / share.sum()))]
        task = tasks[int(rng.choice(len(tasks), p=task_share / task_share.sum()))]
        candidate = (pick(caller, at, task) if pick else None) or candidate
        yield _call(rng, at, pilot_id, caller, candidate, task)


def _slots(
    period: Period, zone: ZoneInfo, days: int, callers: Sequence[Caller]
) -> tuple[list[tuple[datetime, timedelta, Caller]], list[float]]:
    """Every hour that someone may call in, clipped to the period, and how likely it is."""
    slots, weights = [], []
    midnight = period.start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(days + 1):
        today = midnight + timedelta(days=day)
        weekday = 1.0 if today.weekday() < 5 else WEEKEND_SHARE
        for hour, weight in enumerate(HOURS, start=FIRST_HOUR):
            start = today.replace(hour=hour).astimezone(UTC)
            part = Period(start, start + timedelta(hours=1)).clipped(period.start, period.end)
            if not part.length:
                continue
            for caller in callers:
                last = days if caller.last_day is None else caller.last_day
                if caller.first_day <= day <= last:
                    slots.append((part.start, part.length, caller))
                    weights.append(weight * weekday * caller.weight * (part.length.seconds / 3600))
    return slots, weights


def _call(
    rng: np.random.Generator,
    at: datetime,
    pilot_id: int,
    caller: Caller,
    candidate: CandidateShape,
    task: str,
) -> CallRecord:
    shape = SHAPES[task]
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    millis = int(at.timestamp()) * 1000 + at.microsecond // 1000
    randomness = int(rng.integers(0, 2**62, dtype=np.uint64))
    prompt = max(8, int(shape.prompt_tokens * rng.lognormal(0, 0.6)))
    completion = max(1, int(shape.completion_tokens * rng.lognormal(0, 0.7)))
    cached = int(prompt * shape.cached_share * rng.uniform(0, 1.2)) if rng.random() < 0.8 else 0
    first = candidate.first_content_ms * rng.lognormal(0, 0.35) * (1 + prompt / 12_000)
    speed = candidate.tokens_per_s * rng.lognormal(0, 0.18)
    draw = rng.random()
    outcome, status, error = "ok", 200, ""
    if draw < candidate.failure_rate * 0.75:
        outcome, status, error = "upstream_error", 503, "overloaded"
    elif draw < candidate.failure_rate:
        outcome, status, error = "upstream_timeout", 504, "silent"
    elif rng.random() < shape.abandoned:
        outcome, status = "client_cancelled", 200
        completion = max(1, int(completion * rng.uniform(0.1, 0.9)))
    failed = outcome.startswith("upstream")
    total = first + completion / speed * 1000
    if failed:
        total = 60_000.0 if status == 504 else first
    return CallRecord(
        id=str(compose(millis, int(rng.integers(0, 4096)), randomness)),
        admitted_at=at,
        pilot_id=pilot_id,
        person_id=caller.person_id,
        key_id=caller.key_id,
        candidate_id=candidate.candidate_id,
        provider_id=candidate.provider_id,
        alias=candidate.alias,
        endpoint=shape.endpoint,
        task=task,
        outcome=outcome,
        session=f"{caller.person_id}-{at:%Y%m%d%H}" if task in ("chat", "agent") else "",
        streamed=True,
        status=status,
        first_byte_ms=None if failed else int(first * 0.96),
        first_content_ms=None if failed else int(first),
        total_ms=int(total),
        overhead_us=int(350 * rng.lognormal(0, 0.3)),
        prompt_tokens=None if failed else prompt,
        cached_tokens=None if failed else min(cached, prompt),
        completion_tokens=None if failed else completion,
        usage_source="none" if failed else "provider" if outcome == "ok" else "estimated",
        finish_reason="" if outcome != "ok" else "length" if rng.random() < 0.05 else "stop",
        tool_calls=int(rng.integers(1, 4)) if task == "agent" and outcome == "ok" else 0,
        error=error,
        attempts=(Attempt(candidate.candidate_id, 0, int(total), status, error),),
        request_bytes=prompt * 4 + 300,
        response_bytes=0 if failed else completion * 160 + 400,
        client="continue" if task == "autocomplete" else "openai-python",
        rateable=shape.rateable and outcome == "ok",
    )
