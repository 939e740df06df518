"""What a developer is told of limits: refusals in sentences, and the standard headers."""

from __future__ import annotations

import math
from typing import Final
from zoneinfo import ZoneInfo

from apps.gateway.access import Caller
from apps.gateway.asgi import Headers
from apps.gateway.errors import Refusal
from apps.gateway.limits.plan import AT_ONCE, MONEYS, PILOT_MONEY, REQUESTS, Counter
from apps.gateway.waits import DO_NOT_RETRY, LONGEST_WAIT_SECONDS

# Money does not come back soon, but some clients wait as told, several times, before they show why.
MONEY_WAIT_SECONDS: Final = 5
NANO: Final = 1_000_000_000
_PERIODS: Final = {"day": "for today", "month": "for this month", "pilot": "for this pilot"}


def refusal(counter: Counter, caller: Caller, alias: str, *, wait_ms: int, left: int) -> Refusal:
    """Return the refusal by one limit. `left` is the unspent money of it, in nano-USD."""
    seconds = max(1, math.ceil(wait_ms / 1000))
    whose = _whose(counter, caller, alias)
    if counter.kind in MONEYS and not counter.is_told:
        message = f"{whose} is at its limit. Please try again later."
        return Refusal(
            429, "money_spent", message, code="rate_limit_exceeded", retry_after=MONEY_WAIT_SECONDS
        ).with_headers([DO_NOT_RETRY])
    if counter.kind in MONEYS:
        return _money_refusal(counter, caller, alias, whose, left)
    if counter.kind == AT_ONCE:
        message = (
            f"{whose} already {_has(counter)} {counter.size:,} calls running, which is the limit."
        )
        if not counter.is_told:
            message = f"{whose} is at its limit."
        message += " There is room again as soon as one of them ends."
        return Refusal(429, "too_many_at_once", message, code="too_many_at_once", retry_after=1)
    what = "requests" if counter.kind == REQUESTS else "tokens"
    message = f"{whose} may use {counter.size:,} {what} a minute, and they are used up."
    if not counter.is_told:
        message = f"{whose} is at its limit."
    message += f" There is room again in {_seconds(seconds)}."
    return Refusal(
        429,
        f"too_many_{what}",
        message,
        code="rate_limit_exceeded",
        retry_after=min(seconds, LONGEST_WAIT_SECONDS),
    )


def money_unknown() -> Refusal:
    """Return the refusal while nobody can say what has been spent."""
    return Refusal(
        503,
        "money_unknown",
        "PilotDash cannot look up right now what has been spent, and this call has a budget. "
        "Please try again in a moment.",
        code="money_unknown",
        retry_after=5,
    )


def not_countable() -> Refusal:
    """Return the refusal of a call that the server of the limits cannot count."""
    return Refusal(
        503,
        "not_countable",
        "PilotDash cannot count this call against its limits. Please try again in a moment.",
        retry_after=5,
    )


def warning(counter: Counter, caller: Caller, alias: str) -> bytes:
    """Return the header's text for a soft limit that is used up."""
    whose = _whose(counter, caller, alias)
    return f"{whose} {_has(counter)} used up the budget {_PERIODS[counter.period]}.".encode()


def rate_headers(reply: list[int]) -> Headers:
    """Return the six headers from what the tightest limits of requests and tokens have left."""
    headers: Headers = []
    for what, at in ((b"requests", 5), (b"tokens", 8)):
        if left_of := reply[at]:
            headers += (
                (b"x-ratelimit-limit-" + what, b"%d" % left_of),
                (b"x-ratelimit-remaining-" + what, b"%d" % max(0, reply[at + 1])),
                (b"x-ratelimit-reset-" + what, _duration(reply[at + 2])),
            )
    return headers


def _money_refusal(counter: Counter, caller: Caller, alias: str, whose: str, left: int) -> Refusal:
    pilot = caller.pilot
    is_untold = caller.is_untold(alias)
    span = _PERIODS[counter.period]
    budget = "the budget" if is_untold else f"the budget of {_usd(counter.size)}"
    if left > 0:
        message = (
            f"What {whose[0].lower()}{whose[1:]} {_has(counter)} left of {budget} {span} "
            "is held by calls that are running. Please try again when they have ended."
        )
        return Refusal(429, "money_held", message, code="rate_limit_exceeded", retry_after=2)
    if counter.kind == PILOT_MONEY:
        end = "It is not renewed."
    else:
        local = counter.ends_at.astimezone(ZoneInfo(pilot.zone))
        end = f"It is renewed on {local.day} {local:%B %Y} at {local:%H:%M} {pilot.zone} time."
    return Refusal(
        429,
        "money_spent",
        f"{whose} {_has(counter)} used up {budget} {span}. {end} "
        "An administrator of the pilot can raise it.",
        code="insufficient_quota",
        retry_after=MONEY_WAIT_SECONDS,
    ).with_headers([DO_NOT_RETRY])


def _whose(counter: Counter, caller: Caller, alias: str) -> str:
    match counter.scope:
        case "key":
            return "Your key"
        case "person":
            return "You"
        case "candidate":
            return f"The model {alias!r}"
        case _:
            return f"The pilot {caller.pilot.slug}"


def _has(counter: Counter) -> str:
    return "have" if counter.scope == "person" else "has"


def _usd(nano: int) -> str:
    return f"{nano / NANO:,.2f} USD"


def _seconds(count: int) -> str:
    return "a second" if count == 1 else f"{count} seconds"


def _duration(ms: int) -> bytes:
    """Return a time as OpenAI's headers spell it: 20ms, 6s, 1m30s."""
    if ms < 1_000:
        return b"%dms" % max(0, ms)
    minutes, seconds = divmod(math.ceil(ms / 1000), 60)
    return b"%dm%ds" % (minutes, seconds) if minutes else b"%ds" % seconds
