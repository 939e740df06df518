"""Who may call, and which candidate answers: a look-up in the route table, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.keys import DEVELOPER_PREFIX, digest, is_well_formed
from apps.gateway.contract import (
    CandidateRoute,
    KeyRoute,
    PilotRoute,
    ProviderRoute,
    RouteTable,
)
from apps.gateway.drivers.ways import can_answer
from apps.gateway.errors import Refusal
from apps.gateway.request import Request
from apps.gateway.waits import DO_NOT_RETRY

DEVELOPER: Final = "developer"
_KEY_HEADERS: Final = (b"x-api-key", b"api-key")


@dataclass(frozen=True, slots=True)
class Caller:
    key: KeyRoute
    pilot: PilotRoute


@dataclass(frozen=True, slots=True)
class Target:
    alias: str
    candidate: CandidateRoute
    provider: ProviderRoute


class KeyRefusal(Refusal):
    """A refusal to a key that is known, so that it is counted under it."""

    def __init__(self, key_id: int, status: int, reason: str, message: str) -> None:
        super().__init__(status, reason, message)
        self.key_id = key_id


def key_in(headers: dict[bytes, bytes]) -> str:
    """Return the key a request carries, or an empty text."""
    if (given := headers.get(b"authorization")) is not None:
        scheme, _, value = given.partition(b" ")
        return value.strip().decode("latin-1") if scheme.lower() == b"bearer" else ""
    for name in _KEY_HEADERS:
        if (given := headers.get(name)) is not None:
            return given.strip().decode("latin-1")
    return ""


def known_key(headers: dict[bytes, bytes], table: RouteTable) -> KeyRoute | None:
    """Return the key that a request carries, if it is one of ours, whatever it may do."""
    text = key_in(headers)
    return table.keys.get(digest(text)) if text else None


def authenticate(headers: dict[bytes, bytes], table: RouteTable, now: datetime) -> Caller:
    """Return who calls. Raises Refusal."""
    text = key_in(headers)
    # One hash is cheaper than a checksum in base62, so that only words the refusal.
    key = table.keys.get(digest(text)) if text else None
    if key is None:
        raise _unknown(text, table)
    if key.kind != DEVELOPER and not text.startswith(DEVELOPER_PREFIX):
        raise KeyRefusal(
            key.id, 403, "wrong_kind_of_key", "This key reads figures; it cannot call models."
        )
    if now >= key.expires_at:
        raise KeyRefusal(
            key.id, 401, "expired_key", f"This key expired on {key.expires_at:%d %B %Y}."
        )
    pilot = table.pilots.get(key.pilot_id)
    if pilot is None:
        raise KeyRefusal(key.id, 403, "pilot_not_open", "The pilot of this key is not running.")
    if now < pilot.opens_at:
        raise KeyRefusal(
            key.id,
            403,
            "pilot_not_open",
            f"The pilot {pilot.slug} opens on {pilot.opens_at:%d %B %Y at %H:%M} UTC.",
        )
    if now >= pilot.closes_at:
        raise KeyRefusal(
            key.id,
            410,
            "pilot_not_open",
            f"The pilot {pilot.slug} ended on {pilot.closes_at:%d %B %Y at %H:%M} UTC.",
        )
    return Caller(key, pilot)


def find_target(caller: Caller, model: str, table: RouteTable) -> Target:
    """Return where a model's calls go. Raises Refusal."""
    candidate_id = caller.pilot.aliases.get(model)
    candidate = table.candidates.get(candidate_id) if candidate_id is not None else None
    provider = table.providers.get(candidate.provider_id) if candidate is not None else None
    if candidate is None or provider is None:
        known = ", ".join(sorted(caller.pilot.aliases)) or "none yet"
        refusal = KeyRefusal(
            caller.key.id,
            404,
            "unknown_model",
            f"The pilot {caller.pilot.slug} has no model {model!r}. Its models: {known}.",
        )
        refusal.code, refusal.param = "model_not_found", "model"
        raise refusal
    if candidate.state != "active":
        raise KeyRefusal(
            caller.key.id,
            503,
            "paused_model",
            f"The model {model!r} is paused by an administrator of the pilot.",
        ).with_headers([DO_NOT_RETRY])
    return Target(model, candidate, provider)


def find_fallback(
    caller: Caller, target: Target, endpoint: str, request: Request, table: RouteTable
) -> Target | None:
    """Return who may answer in a target's place, or None. What that one falls back to is no matter.

    For a blind alias it must be one of those who may answer for it.
    """
    number = target.candidate.fallback_id
    candidate = table.candidates.get(number) if number is not None else None
    provider = table.providers.get(candidate.provider_id) if candidate is not None else None
    if candidate is None or provider is None or candidate.id == target.candidate.id:
        return None
    if candidate.state != "active" or not can_answer(endpoint, request, candidate, provider):
        return None
    rotation = caller.pilot.blind.get(target.alias)
    if rotation is not None and candidate.id not in rotation.candidate_ids:
        return None
    return Target(target.alias, candidate, provider)


def _unknown(text: str, table: RouteTable) -> Refusal:
    if not table.version:
        return Refusal(
            503,
            "no_routes",
            "PilotDash has just started and does not know its keys yet. Please try again.",
            retry_after=1,
        )
    if not text:
        message = "No key was sent. Send it as 'Authorization: Bearer pd_…'."
    elif is_well_formed(text):
        message = "This key is not known; it may have been revoked."
    else:
        message = "This is not a complete PilotDash key; it may have been cut off when copied."
    return Refusal(401, "bad_key", message, code="invalid_api_key")
