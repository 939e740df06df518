"""Who may call, and which candidate answers: a look-up in the route table, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from apps.core.internal_tokens import TOKEN_PREFIX, Ticket, read_token
from apps.core.keys import DEVELOPER_PREFIX, digest, is_well_formed
from apps.gateway.contract import (
    CandidateRoute,
    KeyRoute,
    PilotRoute,
    ProviderRoute,
    RotationRoute,
    RouteTable,
)
from apps.gateway.drivers.ways import can_answer
from apps.gateway.errors import Refusal
from apps.gateway.request import Request
from apps.gateway.turns import day_in, turns
from apps.gateway.waits import DO_NOT_RETRY

DEVELOPER: Final = "developer"
INTERNAL: Final = "internal"
# What stands for the key where a token of our own has none; real ones count from 1.
NO_KEY: Final = 0
_KEY_HEADERS: Final = (b"x-api-key", b"api-key")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. With a `ticket` it is one of our own processes, and there is no key."""

    key: KeyRoute
    pilot: PilotRoute
    ticket: Ticket | None = None

    @property
    def key_id(self) -> int | None:
        return self.key.id if self.ticket is None else None

    def is_blind(self, alias: str) -> bool:
        """Tell whether answers for an alias must not tell the caller who gives them."""
        return self.ticket is None and self.pilot.is_blind(alias)

    def is_untold(self, alias: str) -> bool:
        """Tell whether limits must keep to themselves what would tell candidates apart."""
        return self.ticket is not None or self.pilot.is_blind(alias)


@dataclass(frozen=True, slots=True)
class Target:
    """Who answers for an alias. `turns` are all that may today, where they take turns.

    `assigned_id` is whom the day had assigned, where another one answers.
    """

    alias: str
    candidate: CandidateRoute
    provider: ProviderRoute
    assigned_id: int | None = None
    turns: tuple[int, ...] = ()


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


def authenticate(
    headers: dict[bytes, bytes], table: RouteTable, now: datetime, token_key: bytes = b""
) -> Caller:
    """Return who calls. Raises Refusal. Tokens of our own are taken where there is a key to them.

    Where the pilot is over and somebody answers all the same, the caller's pilot is what it has
    become.
    """
    text = key_in(headers)
    # One hash is cheaper than a checksum in base62, so that only words the refusal.
    key = table.keys.get(digest(text)) if text else None
    ticket = None
    if key is None:
        if token_key and text.startswith(TOKEN_PREFIX):
            ticket = read_token(token_key, text, now=now)
        if ticket is None:
            raise _unknown(text, table)
        key = KeyRoute(NO_KEY, ticket.person_id, ticket.pilot_id, INTERNAL, ticket.expires_at)
        return Caller(key, _open_pilot(key, table, now), ticket)
    if key.kind != DEVELOPER and not text.startswith(DEVELOPER_PREFIX):
        raise KeyRefusal(
            key.id, 403, "wrong_kind_of_key", "This key reads figures; it cannot call models."
        )
    if now >= key.expires_at:
        raise KeyRefusal(
            key.id, 401, "expired_key", f"This key expired on {key.expires_at:%d %B %Y}."
        )
    return Caller(key, _open_pilot(key, table, now))


def _open_pilot(key: KeyRoute, table: RouteTable, now: datetime) -> PilotRoute:
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
        # Nothing is compared any more once the results are frozen.
        if pilot.after is not None and key.kind != INTERNAL and now < pilot.after.closes_at:
            return pilot.after
        raise KeyRefusal(key.id, 410, "pilot_not_open", pilot.closing_sentence or _ended(pilot))
    return pilot


def _ended(pilot: PilotRoute) -> str:
    return f"The pilot {pilot.slug} ended on {pilot.closes_at:%d %B %Y at %H:%M} UTC."


def models_of(caller: Caller, now: datetime) -> list[str]:
    """Return the model names that a caller may send at this instant, in order."""
    pilot = caller.pilot
    day = day_in(pilot.zone, now)
    begun = [
        alias
        for alias, rotation in pilot.blind.items()
        if turns(rotation, caller.key.person_id, day)[1]
    ]
    return sorted([*pilot.aliases, *begun])


def find_target(caller: Caller, model: str, table: RouteTable, now: datetime) -> Target:
    """Return where a model's calls go. Raises Refusal."""
    ticket = caller.ticket
    if ticket is not None:
        return _only(caller, ticket.alias, ticket.candidate_id, table, now)
    rotation = caller.pilot.blind.get(model)
    if rotation is not None:
        return _whose_turn(caller, model, rotation, table, now)
    return _only(caller, model, caller.pilot.aliases.get(model), table, now)


def _only(
    caller: Caller, alias: str, candidate_id: int | None, table: RouteTable, now: datetime
) -> Target:
    found = _reached(candidate_id, table)
    if found is None:
        raise _no_model(caller, alias, now)
    candidate, provider = found
    if candidate.state != "active":
        raise _paused(caller, alias)
    return Target(alias, candidate, provider)


def _whose_turn(
    caller: Caller, alias: str, rotation: RotationRoute, table: RouteTable, now: datetime
) -> Target:
    """Return the first of today's order that is not paused."""
    person_id = caller.key.person_id
    assigned, order = turns(rotation, person_id, day_in(caller.pilot.zone, now))
    if not order:
        raise _no_model(caller, alias, now)
    for candidate_id in order:
        found = _reached(candidate_id, table)
        if found is not None and found[0].state == "active":
            instead = None if candidate_id == assigned else assigned
            return Target(alias, *found, instead, order)
    raise _paused(caller, alias)


def _reached(
    candidate_id: int | None, table: RouteTable
) -> tuple[CandidateRoute, ProviderRoute] | None:
    candidate = table.candidates.get(candidate_id) if candidate_id is not None else None
    provider = table.providers.get(candidate.provider_id) if candidate is not None else None
    return (candidate, provider) if candidate is not None and provider is not None else None


def _no_model(caller: Caller, model: str, now: datetime) -> KeyRefusal:
    known = ", ".join(models_of(caller, now)) or "none yet"
    refusal = KeyRefusal(
        caller.key.id,
        404,
        "unknown_model",
        f"The pilot {caller.pilot.slug} has no model {model!r}. Its models: {known}.",
    )
    refusal.code, refusal.param = "model_not_found", "model"
    return refusal


def _paused(caller: Caller, model: str) -> Refusal:
    return KeyRefusal(
        caller.key.id,
        503,
        "paused_model",
        f"The model {model!r} is paused by an administrator of the pilot.",
    ).with_headers([DO_NOT_RETRY])


def find_fallback(
    caller: Caller, target: Target, endpoint: str, request: Request, table: RouteTable
) -> Target | None:
    """Return who may answer in a target's place, or None. What that one falls back to is no matter.

    For a blind alias it must be one of those who take turns today. A comparison is between those
    whom it names.
    """
    found = _reached(target.candidate.fallback_id, table)
    if found is None or caller.ticket is not None:
        return None
    candidate, provider = found
    if candidate.id == target.candidate.id or candidate.state != "active":
        return None
    if not can_answer(endpoint, request, candidate, provider):
        return None
    if caller.pilot.is_blind(target.alias) and candidate.id not in target.turns:
        return None
    assigned = target.assigned_id or target.candidate.id
    instead = None if candidate.id == assigned else assigned
    return Target(target.alias, candidate, provider, instead, target.turns)


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
