"""Figures for Prometheus, of all workers together through the library's files.

The library decides where it counts when it is imported, so the composition root sets its folder
before it imports this module. Labels are names of candidates and providers in the route table and
words of closed lists, never what a client or a provider sent.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
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

from apps.gateway.limits.plan import AT_ONCE, MONEY, PILOT_MONEY, REQUESTS
from apps.gateway.limits.plan import TOKENS as TOKENS_A_MINUTE

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8)
OVERHEAD: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2)
# Statuses worth telling apart; of others only the class is told, so that no provider makes series.
STATUSES: Final = frozenset((200, 400, 401, 403, 404, 408, 413, 422, 429, 499, 500, 502, 503, 504))
LIMIT_KINDS: Final = {
    REQUESTS: "requests",
    TOKENS_A_MINUTE: "tokens",
    AT_ONCE: "at_once",
    MONEY: "money",
    PILOT_MONEY: "money",
}

CALLS = Counter(
    "pilotdash_calls",
    "Calls that ended, by candidate, outcome and the status that the client got.",
    ["candidate", "outcome", "status"],
)
FIRST_CONTENT = Histogram(
    "pilotdash_first_content_seconds",
    "From the request to the first token of its answer.",
    ["candidate"],
    buckets=SECONDS,
)
DURATION = Histogram(
    "pilotdash_call_seconds", "From the request to its end.", ["candidate"], buckets=SECONDS
)
OVERHEAD_SECONDS = Histogram(
    "pilotdash_overhead_seconds", "The gateway's own time in a call.", buckets=OVERHEAD
)
TOKENS = Counter(
    "pilotdash_tokens",
    "Tokens by kind: prompt, completion, and cached, which is a part of prompt.",
    ["candidate", "kind"],
)
RETRIES = Counter(
    "pilotdash_retries", "Attempts of a call after its first at the same candidate.", ["candidate"]
)
FALLBACKS = Counter(
    "pilotdash_fallbacks",
    "Calls that another candidate had to answer, by the candidate that could not.",
    ["candidate"],
)
REFUSED = Counter("pilotdash_refusals", "Requests that were not let through.", ["reason"])
LIMIT_CHECKS = Counter(
    "pilotdash_limit_checks",
    "Calls that were judged by their limits: in Redis, or by one process alone.",
    ["by"],
)
LIMIT_REFUSALS = Counter(
    "pilotdash_limit_refusals",
    "Calls that a limit refused, by its kind; money_unknown where nobody knew what is left.",
    ["limit"],
)
LIMIT_WARNINGS = Counter(
    "pilotdash_limit_warnings", "Calls that were let through beyond a soft limit."
)
LIMITER_LOCAL = Gauge(
    "pilotdash_limiter_local",
    "0 while limits are counted in Redis, 1 while any process counts for itself.",
    multiprocess_mode="livemax",
)
LIMITER_UNSEEDED = Gauge(
    "pilotdash_limiter_unseeded",
    "Money counters whose past is not known yet.",
    multiprocess_mode="livemax",
)
BREAKER = Gauge(
    "pilotdash_provider_breaker",
    "0 while a provider is called, 1 while it is tried again, 2 while it is left alone; the worst.",
    ["provider"],
    multiprocess_mode="livemax",
)
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
SHIPPING = Gauge(
    "pilotdash_shipping_connected",
    "1 while every process reaches the stream, else 0.",
    multiprocess_mode="livemin",
)
ROUTES_VERSION = Gauge(
    "pilotdash_routes_version",
    "Version of the route table; the oldest one in force.",
    multiprocess_mode="livemin",
)
ROUTES_AGE = Gauge(
    "pilotdash_routes_age_seconds",
    "Since the route table was built; the oldest one in force.",
    multiprocess_mode="livemax",
)
LOG_DROPPED = Counter("pilotdash_log_lines_dropped", "Log lines of calls that nobody took in time.")


def count_limits(counts: MutableMapping[str, int]) -> None:
    """Add what the limiter has counted since the last time, and take it out of `counts`.

    Its words are together, alone, warned, money_unknown and refused_<kind of counter>.
    """
    for word, count in counts.items():
        match word:
            case "together" | "alone":
                LIMIT_CHECKS.labels("redis" if word == "together" else "process").inc(count)
            case "warned":
                LIMIT_WARNINGS.inc(count)
            case _:
                kind = word.removeprefix("refused_")
                LIMIT_REFUSALS.labels(LIMIT_KINDS.get(kind, kind)).inc(count)
    counts.clear()


def set_breakers(states: Mapping[str, int]) -> None:
    """Take the states of all providers by slug; those that are gone count as closed."""
    for provider in _providers.keys() - states.keys():
        _providers[provider].set(0)
    for provider, state in states.items():
        if provider not in _providers:
            _providers[provider] = BREAKER.labels(provider)
        _providers[provider].set(state)


def set_routes(*, version: int, age_seconds: float) -> None:
    ROUTES_VERSION.set(version)
    ROUTES_AGE.set(age_seconds)


def report() -> bytes:
    """Return the text of all workers together."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


_providers: dict[str, Gauge] = {}
