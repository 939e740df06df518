"""Limits of this process alone, for the time in which Redis does not answer.

Each process then lets through as much as the limit says, so several let through several times as
much: better than refusing everybody, or nobody. Money has no such leeway, see Allowance.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from apps.gateway.limits.cost import Need
from apps.gateway.limits.plan import AT_ONCE, MONEYS, REQUESTS, TOKENS, Counter, Plan

MINUTE: Final = 60.0
# Of each limit of money a process may let through a hundredth unseen, and never more than this.
ALLOWED_SHARE: Final = 100
MOST_ALLOWED_NANO_USD: Final = 1_000_000_000


class LocalLimits:
    """Buckets of requests and tokens, refilled steadily; they begin full."""

    def __init__(self) -> None:
        self._full_at: dict[str, float] = {}

    def refusing(
        self, plan: Plan, need: Need, running: Iterable[Plan], now: float | None = None
    ) -> tuple[Counter, int] | None:
        """Take what a call needs, or return the limit that refuses and its wait in ms."""
        now = time.monotonic() if now is None else now
        filled: dict[str, float] = {}
        for counter in plan.counters:
            if counter.kind == AT_ONCE:
                held = sum(counter in other.counters for other in running)
                if held >= counter.size:
                    return counter, 1_000
            elif counter.kind in (REQUESTS, TOKENS):
                cost = 1 if counter.kind == REQUESTS else need.tokens
                unit = MINUTE / counter.size
                full = max(self._full_at.get(counter.name, now), now)
                over = full + min(cost, counter.size) * unit - now - MINUTE
                if over > 1e-6:
                    return counter, round(over * 1_000)
                filled[counter.name] = full + cost * unit
        self._full_at |= filled
        return None

    def clear(self) -> None:
        self._full_at.clear()


class Allowance:
    """The money that this process may let through while nobody knows what has been spent."""

    def __init__(self) -> None:
        self._passed: dict[str, int] = {}

    def takes(self, plan: Plan, nano_usd: int) -> bool:
        """Tell whether a call may go, and if so count it for every hard limit of money."""
        if not nano_usd:
            return True
        hard = [one for one in plan.counters if one.kind in MONEYS and one.is_hard]
        if any(self._passed.get(one.name, 0) + nano_usd > allowed(one) for one in hard):
            return False
        for one in hard:
            self._passed[one.name] = self._passed.get(one.name, 0) + nano_usd
        return True

    def renew(self, plan: Plan) -> None:
        """Forget what was let through: what has been spent on these limits is known again."""
        if self._passed:
            for counter in plan.counters:
                self._passed.pop(counter.name, None)


def allowed(counter: Counter) -> int:
    """Return in nano-USD what may pass a limit of money unseen, in one process."""
    return min(counter.size // ALLOWED_SHARE, MOST_ALLOWED_NANO_USD)
