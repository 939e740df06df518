"""One call as it was observed, in its versioned wire form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from apps.gateway.contract.names import (
    ENDPOINTS,
    OUTCOMES,
    READABLE_RECORDS,
    RECORD_VERSION,
    SOURCES,
    TASKS,
    USAGE_SOURCES,
    UnknownVersion,
    parse_instant,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at the provider. Times are milliseconds since the call was admitted."""

    candidate_id: int
    started_ms: int
    ended_ms: int
    status: int | None
    error: str = ""


# Not frozen: each field of a frozen class is set by a call, and two records are made for each call.
@dataclass(slots=True)
class CallRecord:
    """One call that was let through, as observed on the wire. Field names are the wire format.

    `id` is a UUIDv7 in canonical text whose time is `admitted_at`. Durations are whole
    milliseconds since `admitted_at`; `overhead_us` is the gateway's own time in microseconds.
    Token counts are None where nothing is known; `usage_source` says where they came from.
    `cached_tokens` is the part of `prompt_tokens` that the provider read from its cache.
    `candidate_id` answered; `assigned_candidate_id` is whom the alias stood for when another one
    had to answer in its place, else None.
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
    assigned_candidate_id: int | None = None

    def to_json(self) -> bytes:
        # asdict() would copy every field first; this is written twice for each call.
        return b'{"v":%d,' % RECORD_VERSION + orjson.dumps(self)[1:]

    @classmethod
    def from_json(cls, raw: bytes) -> CallRecord:
        """Raises UnknownVersion, or ValueError/TypeError/KeyError on anything malformed."""
        fields: dict[str, Any] = orjson.loads(raw)
        if not isinstance(fields, dict):
            raise ValueError("a call record is a JSON object")
        if (version := fields.pop("v", None)) not in READABLE_RECORDS:
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
