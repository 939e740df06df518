"""What is done when an attempt came to nothing: the same again, the fallback, or the error.

Only an attempt of which nothing was generated and nothing was sent on gets this far.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import Final

from apps.gateway.access import Caller, KeyRefusal, Target, find_fallback
from apps.gateway.answers import Failure, failed
from apps.gateway.asgi import JSON, Headers
from apps.gateway.breaker import Breakers
from apps.gateway.call import Call
from apps.gateway.request import Request
from apps.gateway.routes import Routes
from apps.gateway.upstream import Exchange, UpstreamFailure

MOST_ATTEMPTS: Final = 3
RETRIED_STATUSES: Final = frozenset((429, 502, 503, 504))
# What counts against a provider. 503 and 429 say that it lives and is busy or just starting.
FAULT_STATUSES: Final = frozenset((500, 502, 504))
FAULT_KINDS: Final = frozenset(("connect", "tls", "broken", "first_byte", "silence", "whole"))
# Of these, only the first two may be gone in a moment; a certificate stays what it is.
RETRIED_KINDS: Final = frozenset(("connect", "broken"))
FALLEN_BACK_KINDS: Final = RETRIED_KINDS | {"tls"}
LONGEST_WAIT: Final = 5.0
FIRST_WAIT: Final = 0.25


@dataclass(frozen=True, slots=True)
class Setback:
    """An attempt that came to nothing, so that another may follow; else it is what is said.

    `again` tells whether the same candidate may be asked. `wait` is what its provider asked for,
    in seconds, or None.
    """

    failure: Failure
    body: bytes | None = None
    headers: Headers | None = None
    again: bool = True
    wait: float | None = None


class Attempts:
    """Makes the attempts of calls, one call after another or many at once."""

    def __init__(
        self, routes: Routes, breakers: Breakers, *, seconds: float, first_wait: float = FIRST_WAIT
    ) -> None:
        """`seconds` is the limit for the first byte, which all attempts at a call share.

        `first_wait` is how many of them at most pass between the first two attempts.
        """
        self.routes = routes
        self.breakers = breakers
        self.first_wait = first_wait
        self._seconds = seconds

    async def make(
        self,
        call: Call,
        opened: Callable[[], Exchange],
        converse: Callable[[Exchange], Awaitable[Setback | None]],
    ) -> Setback | None:
        """Attempt the call at its target, again while that may help, then at its fallback.

        `opened` returns an exchange with the call's target, in which `converse` has an answer, or
        a setback. Returns None, or the last setback. Raises UpstreamFailure.
        """
        made = 1
        while (setback := await self._once(call, opened, converse)) is not None:
            wait = self._wait_after(made, setback)
            if setback.again and made < MOST_ATTEMPTS and self._may_wait(call, wait):
                call.put_aside(time.monotonic())
                await asyncio.sleep(wait)
                made += 1
            elif (fallback := self._fallback(call)) is not None and await _takes(call, fallback):
                call.put_aside(time.monotonic())
                call.asked, call.target = call.target, fallback
                made = 1
            else:
                return setback
        return None

    async def _once(
        self,
        call: Call,
        opened: Callable[[], Exchange],
        converse: Callable[[Exchange], Awaitable[Setback | None]],
    ) -> Setback | None:
        provider, breakers, began = call.target.provider.id, self.breakers, time.monotonic()
        if not breakers.begin(provider, began):
            return _resting(call, breakers.wait(provider, began))
        exchange: Exchange | None = None
        try:
            exchange = opened()
            if call.sent is None:
                call.sent = time.monotonic()
            else:
                exchange.started = call.sent
            setback = await converse(exchange)
        except UpstreamFailure as failure:
            if failure.kind in FAULT_KINDS:
                breakers.failed(provider, began, time.monotonic())
            if exchange is None or exchange.has_begun or failure.kind not in FALLEN_BACK_KINDS:
                raise
            return Setback(failed(failure), again=failure.kind in RETRIED_KINDS)
        else:
            status = exchange.status
            if status in FAULT_STATUSES:
                breakers.failed(provider, began, time.monotonic())
            elif _is_well(status, call):
                breakers.went_well(provider, began)
            return setback
        finally:
            breakers.let_go(provider, began)

    def _wait_after(self, made: int, setback: Setback) -> float:
        """Return what the provider asked for, else longer each time, never all at once."""
        backoff = self.first_wait * 2.0 ** (made - 1) * random.uniform(0.5, 1.0)
        return backoff if setback.wait is None else max(setback.wait, backoff)

    def _may_wait(self, call: Call, wait: float) -> bool:
        now = time.monotonic()
        return (
            wait <= LONGEST_WAIT
            and self._has_time(call, now + wait)
            and self.breakers.wait(call.target.provider.id, now) <= wait
        )

    def _fallback(self, call: Call) -> Target | None:
        now = time.monotonic()
        if call.asked is not None or not self._has_time(call, now):
            return None
        table = self.routes.table
        found = find_fallback(call.caller, call.target, call.endpoint, call.request, table)
        if found is None or self.breakers.wait(found.provider.id, now):
            return None
        return found

    def _has_time(self, call: Call, instant: float) -> bool:
        return call.sent is None or instant < call.sent + self._seconds

    def refuse_while_resting(
        self, caller: Caller, target: Target, endpoint: str, request: Request
    ) -> None:
        """Raises Refusal where a call could only wait for a provider that is left alone."""
        now = time.monotonic()
        seconds = self.breakers.wait(target.provider.id, now)
        if not seconds:
            return
        fallback = find_fallback(caller, target, endpoint, request, self.routes.table)
        if fallback is not None and not self.breakers.wait(fallback.provider.id, now):
            return
        message = _rest_of(target, seconds, caller)
        refusal = KeyRefusal(caller.key.id, 503, "provider_resting", message)
        refusal.retry_after = ceil(seconds)
        raise refusal


async def _takes(call: Call, fallback: Target) -> bool:
    """Tell whether the limits of the fallback have room for the call, and take it from them."""
    return call.takes_at is None or await call.takes_at(fallback)


def _is_well(status: int, call: Call) -> bool:
    """Tell whether the provider did its part; that a request was wrong is not its fault."""
    if status >= 300:
        return status < 500 and status != 429
    return call.record is not None and call.record.outcome == "ok"


def _resting(call: Call, seconds: float) -> Setback:
    message = _rest_of(call.target, seconds, call.caller)
    failure = Failure("upstream_error", 503, "provider_resting", message, "resting")
    return Setback(failure, None, [JSON, (b"retry-after", b"%d" % ceil(seconds))], again=False)


def _rest_of(target: Target, seconds: float, caller: Caller) -> str:
    whose = "" if caller.is_untold(target.alias) else f" at {target.provider.slug}"
    return (
        f"The model {target.alias!r}{whose} has failed several times in a row, so PilotDash leaves "
        f"it alone for a moment. Please try again in {ceil(seconds)} s or choose another model."
    )
