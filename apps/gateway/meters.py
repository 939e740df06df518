"""Figures of single calls, gathered in this process and handed to Prometheus once a second.

To count in the library's files for each call would cost a twentieth of a short call's time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Tally
from typing import Final

from prometheus_client import Histogram

from apps.gateway import metrics
from apps.gateway.contract import CallRecord


class Durations:
    """Seconds seen since they were last handed over, by the bounds of a histogram."""

    __slots__ = ("_bounds", "_counts", "_histogram", "_sum")

    def __init__(self, histogram: Histogram, bounds: tuple[float, ...]) -> None:
        self._histogram = histogram
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def hand_over(self) -> None:
        # The library has no way to observe many values at once; these are what observe() fills.
        buckets = self._histogram._buckets
        if any(self._counts):
            self._histogram._sum.inc(self._sum)
        for place, count in enumerate(self._counts):
            if count:
                buckets[place].inc(count)
        self._counts = [0] * len(self._counts)
        self._sum = 0.0


class CallMeters:
    """What the calls of one candidate have come to since it was last handed over."""

    __slots__ = ("_candidate", "calls", "duration", "first", "tokens")

    def __init__(self, candidate: str) -> None:
        self._candidate = candidate
        self.calls: Tally[tuple[str, int | None]] = Tally()
        self.tokens: Tally[str] = Tally()
        self.duration = Durations(metrics.DURATION.labels(candidate), metrics.SECONDS)
        self.first = Durations(metrics.FIRST_CONTENT.labels(candidate), metrics.SECONDS)

    def hand_over(self) -> None:
        for (outcome, status), count in self.calls.items():
            metrics.CALLS.labels(self._candidate, outcome, _told_apart(status)).inc(count)
        for kind, count in self.tokens.items():
            metrics.TOKENS.labels(self._candidate, kind).inc(count)
        self.calls.clear()
        self.tokens.clear()
        self.duration.hand_over()
        self.first.hand_over()


_meters: dict[str, CallMeters] = {}
_overhead: Final = Durations(metrics.OVERHEAD_SECONDS, metrics.OVERHEAD)


def count_call(
    record: CallRecord,
    candidate: str,
    assigned: str | None,
    *,
    seconds: float,
    first_content: float | None,
) -> None:
    """Count a call that ended. The names are slugs; `assigned` could not answer, if it is one.

    Durations are in seconds since the request arrived.
    """
    meters = _meters.get(candidate)
    if meters is None:
        meters = _meters[candidate] = CallMeters(candidate)
    meters.calls[record.outcome, record.status] += 1
    meters.duration.add(seconds)
    if first_content is not None:
        meters.first.add(first_content)
    if record.overhead_us is not None:
        _overhead.add(record.overhead_us / 1_000_000)
    tokens = meters.tokens
    if record.prompt_tokens:
        tokens["prompt"] += record.prompt_tokens
    if record.cached_tokens:
        tokens["cached"] += record.cached_tokens
    if record.completion_tokens:
        tokens["completion"] += record.completion_tokens
    if len(record.attempts) > 1:
        _count_attempts(record, candidate, assigned)
    elif assigned is not None:
        metrics.FALLBACKS.labels(assigned).inc()


def hand_over() -> None:
    """Give Prometheus all that was counted. Called on the event loop alone, like count_call()."""
    for meters in _meters.values():
        meters.hand_over()
    _overhead.hand_over()


def _told_apart(status: int | None) -> str:
    if status is None:
        return "none"
    return str(status) if status in metrics.STATUSES else f"{status // 100}xx"


def _count_attempts(record: CallRecord, candidate: str, assigned: str | None) -> None:
    # A dead connection that was replaced is no attempt of its own.
    asked = [one.candidate_id for one in record.attempts if one.error != "dead_connection"]
    at_assigned = sum(one == record.assigned_candidate_id for one in asked)
    if (more := len(asked) - at_assigned - 1) > 0:
        metrics.RETRIES.labels(candidate).inc(more)
    if assigned is not None:
        metrics.FALLBACKS.labels(assigned).inc()
        if at_assigned > 1:
            metrics.RETRIES.labels(assigned).inc(at_assigned - 1)
