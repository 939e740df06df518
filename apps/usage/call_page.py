"""What one call's page says: its way, its tokens, what it cost and why, its attempts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.catalog.models import Price
from apps.core.drawing import Segment
from apps.core.figures import number
from apps.usage.models import Call
from apps.usage.queries import CallRow
from apps.usage.sight import Sight

SOURCE_NOTES = {
    "provider": "Counted by the provider.",
    "estimated": "Estimated from the bytes that passed: the provider did not tell.",
    "none": "Nobody counted them.",
}
# How the last stretch ended, where no content had come yet.
ENDINGS = {
    "ok": "answering",
    "client_cancelled": "until the caller left",
    "upstream_error": "until the provider failed",
    "upstream_timeout": "until we gave up",
    "stream_broken": "until it broke off",
    "crashed_unknown": "until it was lost",
}
# What the gateway notes of a problem in one word; anything else is the provider's own sentence.
PROBLEMS = {
    "address": "its address is one that may not be called",
    "broken": "the connection broke off",
    "connect": "no connection could be made",
    "credential": "our key for it could not be used",
    "dead_connection": "an idle connection had died; a new one was made at once",
    "first_byte": "silent for too long before the answer",
    "gateway stopped": "PilotDash was stopped meanwhile",
    "internal": "an error of PilotDash’s own",
    "request": "the request could not be sent as it was",
    "resting": "not asked: it had failed several times in a row",
    "silence": "silent for too long within the answer",
    "size": "a piece of the answer was too large",
    "tls": "its certificate could not be verified",
    "unreadable": "the answer could not be read",
    "whole": "the answer took longer than is allowed",
}
STATUS = "provider status "


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a call; `at` is None for readers who may know the hour alone."""

    label: str
    after_ms: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class CostLine:
    """So many tokens at so much a million."""

    label: str
    tokens: int
    usd_per_mtok: Decimal
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a provider; times in milliseconds since the call was admitted."""

    candidate: str
    started_ms: int
    ended_ms: int
    status: int | None
    error: str


def shown(row: CallRow, *, price: Price | None, sight: Sight) -> dict[str, Any]:
    return {
        "segments": timeline(row.call),
        "moments": moments(row.call, sight),
        "source_note": SOURCE_NOTES[row.call.usage_source],
        "tokens": tokens(row.call),
        "price": price,
        "cost_lines": cost_lines(row.call, price),
        "facts": facts(row, sight),
        "attempts": attempts(row),
        "stood_in": stood_in(row),
    }


def hour_of(row: CallRow, zone: ZoneInfo) -> datetime:
    """Return the hour of the zone in which a call was made."""
    return row.call.admitted_at.astimezone(zone).replace(minute=0, second=0, microsecond=0)


def timeline(call: Call) -> list[Segment]:
    """Cut the call's duration at what was observed on its way."""
    last = "answering" if call.first_content_ms is not None else ENDINGS[call.outcome]
    steps = [
        ("until the first byte", call.first_byte_ms),
        ("until the first content", call.first_content_ms),
        (last, call.total_ms),
    ]
    segments, before = [], 0
    for label, until in steps:
        if until is not None:
            segments.append(Segment(label, max(0, until - before)))
            before = max(before, until)
    return segments


def moments(call: Call, sight: Sight) -> list[Moment]:
    """Return what was observed and when."""
    steps = [
        ("Admitted", 0),
        ("First byte", call.first_byte_ms),
        ("First content", call.first_content_ms),
        ("End", call.total_ms),
    ]
    return [Moment(label, ms, None if sight.hour_only else _at(call, ms)) for label, ms in steps]


def _at(call: Call, ms: int | None) -> datetime | None:
    return None if ms is None else call.admitted_at + timedelta(milliseconds=ms)


def tokens(call: Call) -> list[tuple[str, str | None]]:
    return [
        ("Sent", _count(call.prompt_tokens)),
        ("of these from the cache", _count(call.cached_tokens)),
        ("Made", _count(call.completion_tokens)),
        ("Tool calls", number(call.tool_calls)),
        ("Finish reason", call.finish_reason or None),
    ]


def cost_lines(call: Call, price: Price | None) -> list[CostLine]:
    """Return what the cost is made of; nothing where the call was not costed by its tokens."""
    if price is None or call.prompt_tokens is None:
        return []
    cached = call.cached_tokens or 0
    parts = [
        ("Sent", call.prompt_tokens - cached, price.input_usd_per_mtok),
        ("From the cache", cached, price.cached_usd_per_mtok),
        ("Made", call.completion_tokens or 0, price.output_usd_per_mtok),
    ]
    return [
        CostLine(label, count, usd, count * usd / 1_000_000)
        for label, count, usd in parts
        if count or label != "From the cache"
    ]


def facts(row: CallRow, sight: Sight) -> list[tuple[str, str | None]]:
    """Return the rest; what could tell who made the call only to those who may know."""
    call = row.call
    known = [
        ("Model name sent", call.alias),
        ("Endpoint", f"/v1/{call.endpoint}"),
        ("Provider", row.candidate.provider.name if row.candidate else None),
        ("Streamed", "yes" if call.streamed else "no"),
        ("Status", str(call.status) if call.status else None),
        ("Problem", problem(call.error) or None),
        ("Request", _bytes(call.request_bytes)),
        ("Answer", _bytes(call.response_bytes)),
    ]
    if row.is_blind:
        known = [(label, value) for label, value in known if value is not None]
    if sight.hour_only:
        return known
    overhead = f"{call.overhead_us / 1000:.1f} ms" if call.overhead_us is not None else None
    if not row.is_blind:
        known.append(("Added by PilotDash", overhead))
    known.append(("Client", call.client or None))
    return [*known, ("Session", call.session or None), ("Call id", str(call.id))]


def stood_in(row: CallRow) -> str:
    """Say that another candidate was asked than the one the model name stands for."""
    if row.stood_in_for is None or row.candidate is None:
        return ""
    asked, other, alias = row.stood_in_for.name, row.candidate.name, row.call.alias
    if row.call.outcome in ("ok", "client_cancelled"):
        return f"{alias} stands for {asked}, which could not answer. {other} answered instead."
    return f"{alias} stands for {asked}, which could not answer. {other} could not either."


def attempts(row: CallRow) -> list[Attempt]:
    """The tries at providers, each named after the candidate that was asked."""
    known = [each for each in (row.candidate, row.stood_in_for) if each is not None]
    names = {candidate.id: candidate.name for candidate in known}
    return [
        Attempt(
            names.get(tried["candidate_id"], "another"),
            tried["started_ms"],
            tried["ended_ms"],
            tried["status"],
            problem(tried["error"]),
        )
        for tried in row.call.attempts
    ]


def problem(error: str) -> str:
    """Return what went wrong in words."""
    if error.startswith(STATUS):
        return f"its provider answered with status {error.removeprefix(STATUS)}"
    return PROBLEMS.get(error, error)


def _count(value: int | None) -> str | None:
    return None if value is None else number(value)


def _bytes(size: int | None) -> str | None:
    return None if size is None else f"{number(size)} bytes"
