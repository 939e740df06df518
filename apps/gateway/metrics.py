"""Figures for Prometheus, of all workers together through the library's files.

The library decides where it counts when it is imported, so the composition root sets its folder
before it imports this module.
"""

from __future__ import annotations

import os
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8)
OVERHEAD: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2)

CALLS = Counter("pilotdash_calls", "Calls by candidate and outcome.", ["candidate", "outcome"])
FIRST_CONTENT = Histogram(
    "pilotdash_first_content_seconds", "Until the first content.", ["candidate"], buckets=SECONDS
)
DURATION = Histogram("pilotdash_call_seconds", "Whole calls.", ["candidate"], buckets=SECONDS)
OVERHEAD_SECONDS = Histogram(
    "pilotdash_overhead_seconds", "The gateway's own time in a call.", buckets=OVERHEAD
)
REFUSED = Counter("pilotdash_refusals", "Requests that were not let through.", ["reason"])
RUNNING = Gauge("pilotdash_calls_running", "Calls that run now.", multiprocess_mode="livesum")
BACKLOG = Gauge(
    "pilotdash_journal_backlog",
    "Finished calls that have not reached the stream.",
    multiprocess_mode="livesum",
)
OLDEST = Gauge(
    "pilotdash_journal_oldest_seconds",
    "Age of the oldest finished call that has not reached the stream.",
    multiprocess_mode="livemax",
)


class CallMeters:
    """The children of one candidate, looked up once: labels() costs more than counting."""

    __slots__ = ("_calls", "_candidate", "duration", "first_content")

    def __init__(self, candidate: str) -> None:
        self._candidate = candidate
        self._calls: dict[str, Counter] = {}
        self.duration = DURATION.labels(candidate)
        self.first_content = FIRST_CONTENT.labels(candidate)

    def count(self, outcome: str) -> None:
        child = self._calls.get(outcome)
        if child is None:
            child = self._calls[outcome] = CALLS.labels(self._candidate, outcome)
        child.inc()


_meters: dict[str, CallMeters] = {}


def meters(candidate: str) -> CallMeters:
    found = _meters.get(candidate)
    if found is None:
        found = _meters[candidate] = CallMeters(candidate)
    return found


def report() -> bytes:
    """Return the text of all workers together."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
