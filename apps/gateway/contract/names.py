"""Keys in Redis, closed lists, and what both wire forms share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

STREAM: Final = "pilotdash:calls"
STREAM_GROUP: Final = "drain"
ROUTES_KEY: Final = "pilotdash:routes"
ROUTES_VERSION_KEY: Final = "pilotdash:routes:version"
ROUTES_CHANNEL: Final = "pilotdash:routes:changed"
# Hash: "<reason>:<key id or ->:<UTC date>" -> count. Refusals are counted, never stored as calls.
REFUSALS_KEY: Final = "pilotdash:refusals"
# Hash: journal folder -> JSON with at (seconds since 1970), backlog, oldest_age_s, routes_version.
GATEWAYS_KEY: Final = "pilotdash:gateways"
# Hash: call id -> "<ms since 1970> <record>", used only while a journal cannot be written.
ADMITTED_KEY: Final = "pilotdash:admitted"
# Whoever counts limits together shares one slot of a cluster, so one script may touch all of them.
LIMITS_PREFIX: Final = "pilotdash:{limits}:"
# Set: names of money counters whose past is not known yet. A name is LIMITS_PREFIX and
# "<server run id>:money:<pilot id>:<scope>:<id>:<period>:<set at>"; it is that of a hash with
# since and start (ms since 1970), spent (nano-USD of calls that ended at or after since) and, once
# somebody has summed the calls that ended in [start, since), seed (nano-USD).
UNSEEDED_KEY: Final = LIMITS_PREFIX + "unseeded"

RECORD_VERSION: Final = 2
# Version 1 lacks assigned_candidate_id; records of it may still wait in a journal or the stream.
READABLE_RECORDS: Final = (1, 2)
ROUTES_FORMAT: Final = 4

OUTCOMES: Final = (
    "ok",
    "client_cancelled",
    "upstream_error",
    "upstream_timeout",
    "stream_broken",
    "crashed_unknown",
)
USAGE_SOURCES: Final = ("provider", "estimated", "none")
SOURCES: Final = ("gateway", "ide", "imported", "compare", "probe")
TASKS: Final = ("chat", "edit", "apply", "autocomplete", "agent", "embed", "rerank", "other")
ENDPOINTS: Final = (
    "chat/completions",
    "completions",
    "embeddings",
    "fim/completions",
    "rerank",
    "responses",
    "messages",
    "messages/count_tokens",
)
# What a provider may serve: an endpoint, or the field `suffix` on its /completions.
SUFFIX: Final = "suffix"
SERVABLE: Final = (*ENDPOINTS, SUFFIX)
SERVED_BY_MOST: Final = ("chat/completions", "completions", "embeddings")
# Whose a limit is, and over which time money is counted.
SCOPES: Final = ("key", "person", "candidate", "pilot")
MONEY_PERIODS: Final = ("day", "month", "pilot")


class UnknownVersion(ValueError):
    """The bytes carry a version that this release does not read."""


def parse_instant(text: str) -> datetime:
    """Return an aware UTC datetime. Raises ValueError, also on a text without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant.astimezone(UTC)
