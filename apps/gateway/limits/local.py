"""Limits of this process alone, for the time in which Redis does not answer.

Each process then lets through as much as the limit says, so several let through several times as
much: better than refusing everybody, or nobody. Money has no such leeway, see Allowance.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Final

from apps.gateway.limits.cost import Need
from apps.gateway.limits.plan import AT_ONCE, MONEYS, REQUESTS, TOKENS, Counter, Plan

MINUTE: Final = 60.0
MOST_BUCKETS: Final = 10_000
# Of each limit of money a process may let through a hundredth unseen, and never more than this.
ALLOWED_SHARE: Final = 100
MOST_ALLOWED_NANO_USD: Final = 1_000_000_000


class LocalLimits:
    """Buckets of requests and tokens, refilled steadily; they begin full."""

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}

    def refusing(
        self, plan: Plan, need: Need, running: Iterable[Plan], now: float
    ) -> tuple[Counter, int] | None:
        """Return the limit that a call would exceed and its wait in ms, or None."""
        for counter in plan.counters:
            if counter.kind == AT_ONCE:
                others = [one.name for other in running for one in other.counters]
                if others.count(counter.name) >= counter.size:
                    return counter, 1_000
            elif counter.kind in (REQUESTS, TOKENS):
                cost = min(_cost(counter, need), counter.size)
                over = self._full(counter, now) + cost * MINUTE / counter.size - now - MINUTE
                if over > 1e-6:
                    return counter, round(over * 1_000)
        return None

    def move(self, plan: Plan, now: float, *, tokens: int, requests: int) -> None:
        """Take so many from the buckets of a call, or give so many back."""
        for counter in plan.counters:
            if counter.kind in (REQUESTS, TOKENS):
                amount = requests if counter.kind == REQUESTS else tokens
                full = self._full(counter, now) + amount * MINUTE / counter.size
                self._full_at[counter.name] = full
        if len(self._full_at) > MOST_BUCKETS:
            self._full_at = {name: at for name, at in self._full_at.items() if at > now}

    def left(self, plan: Plan, now: float) -> list[int]:
        """Return what is left of the tightest buckets, in the places of the script's reply."""
        reply = [0, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0]
        for counter in plan.counters:
            if counter.kind in (REQUESTS, TOKENS) and counter.is_told:
                at = 5 if counter.kind == REQUESTS else 8
                busy = max(0.0, self._full(counter, now) - now)
                rest = max(0, int((MINUTE - busy) * counter.size / MINUTE + 1e-6))
                if reply[at + 1] < 0 or rest < reply[at + 1]:
                    reply[at : at + 3] = [counter.size, rest, ceil(busy * 1_000)]
        return reply

    def _full(self, counter: Counter, now: float) -> float:
        return max(self._full_at.get(counter.name, now), now)


def _cost(counter: Counter, need: Need) -> int:
    return 1 if counter.kind == REQUESTS else need.tokens


class Allowance:
    """The money that this process may let through while nobody knows what has been spent."""

    def __init__(self) -> None:
        self._passed: dict[str, int] = {}

    def suffices(self, plan: Plan, nano_usd: int) -> bool:
        """Tell whether a call may go, as far as hard limits of money are concerned."""
        return not nano_usd or all(
            self._passed.get(one.name, 0) + nano_usd <= allowed(one) for one in _hard(plan)
        )

    def take(self, plan: Plan, nano_usd: int) -> None:
        for one in _hard(plan) if nano_usd else ():
            self._passed[one.name] = self._passed.get(one.name, 0) + nano_usd

    def renew(self, plan: Plan) -> None:
        """Forget what was let through: what has been spent on these limits is known again."""
        if self._passed:
            for counter in plan.counters:
                self._passed.pop(counter.name, None)


def _hard(plan: Plan) -> list[Counter]:
    return [one for one in plan.counters if one.kind in MONEYS and one.is_hard]


def allowed(counter: Counter) -> int:
    """Return in nano-USD what may pass a limit of money unseen, in one process."""
    return min(counter.size // ALLOWED_SHARE, MOST_ALLOWED_NANO_USD)
