"""What the gateway and everyone else agree on: the record of a call and the table of routes.

Both are versioned. A reader that meets a version it does not know must not guess: records go to the
dead letters, a route table is ignored and the one in force stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

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

RECORD_VERSION: Final = 1
ROUTES_FORMAT: Final = 1

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
)


class UnknownVersion(ValueError):
    """The bytes carry a version that this release does not read."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at the provider. Times are milliseconds since the call was admitted."""

    candidate_id: int
    started_ms: int
    ended_ms: int
    status: int | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call that was let through, as observed on the wire. Field names are the wire format.

    `id` is a UUIDv7 in canonical text whose time is `admitted_at`. Durations are whole
    milliseconds since `admitted_at`; `overhead_us` is the gateway's own time in microseconds.
    Token counts are None where nothing is known; `usage_source` says where they came from.
    `cached_tokens` is the part of `prompt_tokens` that the provider read from its cache.
    """

    id: str
    admitted_at: datetime
    pilot_id: int
    person_id: int
    key_id: int | None
    candidate_id: int
    provider_id: int
    alias: str
    endpoint: str
    task: str
    outcome: str
    source: str = "gateway"
    session: str = ""
    streamed: bool = False
    status: int | None = None
    first_byte_ms: int | None = None
    first_content_ms: int | None = None
    total_ms: int | None = None
    overhead_us: int | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    usage_source: str = "none"
    finish_reason: str = ""
    tool_calls: int = 0
    error: str = ""
    attempts: tuple[Attempt, ...] = ()
    request_bytes: int | None = None
    response_bytes: int | None = None
    client_request_id: str = ""
    upstream_request_id: str = ""
    client: str = ""
    client_retry: int | None = None
    rateable: bool = False

    def to_json(self) -> bytes:
        # asdict() would copy every field first; this is written twice for each call.
        return b'{"v":%d,' % RECORD_VERSION + orjson.dumps(self)[1:]

    @classmethod
    def from_json(cls, raw: bytes) -> CallRecord:
        """Raises UnknownVersion, or ValueError/TypeError/KeyError on anything malformed."""
        fields: dict[str, Any] = orjson.loads(raw)
        if not isinstance(fields, dict):
            raise ValueError("a call record is a JSON object")
        if (version := fields.pop("v", None)) != RECORD_VERSION:
            raise UnknownVersion(f"call record version {version!r}")
        fields["admitted_at"] = parse_instant(fields["admitted_at"])
        fields["attempts"] = tuple(Attempt(**attempt) for attempt in fields.get("attempts", ()))
        record = cls(**fields)
        for name, allowed in (
            ("outcome", OUTCOMES),
            ("usage_source", USAGE_SOURCES),
            ("source", SOURCES),
            ("task", TASKS),
            ("endpoint", ENDPOINTS),
        ):
            if getattr(record, name) not in allowed:
                raise ValueError(f"{name} {getattr(record, name)!r} is not one of {allowed}")
        return record


@dataclass(frozen=True, slots=True)
class ProviderRoute:
    """Where a provider is. `credential` stays a MultiFernet token; the gateway opens it in memory.

    `auth` is one of bearer, api_key, none; `stream_usage` one of on_request, always,
    reject_option, none. `ca_pem` adds authorities for this provider alone.
    """

    id: int
    slug: str
    base_url: str
    credential: str = ""
    auth: str = "bearer"
    driver: str = "openai"
    stream_usage: str = "on_request"
    ca_pem: str = ""


@dataclass(frozen=True, slots=True)
class CandidateRoute:
    """A model at a provider. `state` is active or paused; retired ones are not in the table."""

    id: int
    slug: str
    provider_id: int
    upstream_model: str
    state: str = "active"
    fim_template: str = ""
    fim_stops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PilotRoute:
    """A pilot that answers calls. `aliases` maps the model name developers send to a candidate id.

    Outside [opens_at, closes_at) its keys are refused with a sentence.
    """

    id: int
    slug: str
    opens_at: datetime
    closes_at: datetime
    aliases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeyRoute:
    """Whose key it is. Only keys that are in force stand in the table."""

    id: int
    person_id: int
    pilot_id: int
    kind: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Everything the gateway knows, at one version. `keys` is by the hex SHA-256 of the key."""

    version: int
    built_at: datetime
    keys: dict[str, KeyRoute] = field(default_factory=dict)
    pilots: dict[int, PilotRoute] = field(default_factory=dict)
    candidates: dict[int, CandidateRoute] = field(default_factory=dict)
    providers: dict[int, ProviderRoute] = field(default_factory=dict)

    def to_json(self) -> bytes:
        return orjson.dumps(
            {
                "format": ROUTES_FORMAT,
                "version": self.version,
                "built_at": self.built_at,
                "keys": self.keys,
                "pilots": list(self.pilots.values()),
                "candidates": list(self.candidates.values()),
                "providers": list(self.providers.values()),
            }
        )

    @classmethod
    def from_json(cls, raw: bytes) -> RouteTable:
        """Raises UnknownVersion, or ValueError/TypeError/KeyError on anything malformed."""
        table: dict[str, Any] = orjson.loads(raw)
        if not isinstance(table, dict):
            raise ValueError("a route table is a JSON object")
        if table.get("format") != ROUTES_FORMAT:
            raise UnknownVersion(f"route table format {table.get('format')!r}")
        return cls(
            version=int(table["version"]),
            built_at=parse_instant(table["built_at"]),
            keys={
                digest: KeyRoute(**_with_instants(key, "expires_at"))
                for digest, key in table["keys"].items()
            },
            pilots={
                pilot["id"]: PilotRoute(**_with_instants(pilot, "opens_at", "closes_at"))
                for pilot in table["pilots"]
            },
            candidates={
                row["id"]: CandidateRoute(**row | {"fim_stops": tuple(row["fim_stops"])})
                for row in table["candidates"]
            },
            providers={row["id"]: ProviderRoute(**row) for row in table["providers"]},
        )


def parse_instant(text: str) -> datetime:
    """Return an aware UTC datetime. Raises ValueError, also on a text without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant.astimezone(UTC)


def _with_instants(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return fields | {name: parse_instant(fields[name]) for name in names}
