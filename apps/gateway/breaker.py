"""Leave a provider alone that keeps failing, for a growing time. Each process knows for itself.

A provider has an entry from its first failure until it answers whole again, so that an ordinary
call pays for a look into an empty dictionary. Times are seconds of `time.monotonic()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.gateway.routes import Routes

CLOSED: Final = 0
HALF_OPEN: Final = 1
OPEN: Final = 2
# So many failures in a row open it, and the first rest is so long; each relapse doubles it.
MOST_FAILURES: Final = 5
FIRST_REST: Final = 1.0
LONGEST_REST: Final = 60.0
# What somebody is told to wait while a call that may end the rest is under way.
PROBE_SECONDS: Final = 1.0
# Of a plain answer nothing is seen until it is whole, which may take a minute: after so long,
# another call may try as well.
NEXT_PROBE_SECONDS: Final = 3.0


@dataclass(slots=True)
class _Trouble:
    """What has gone wrong at one provider since it last answered well."""

    failures: int = 0
    rest: float = 0.0
    since: float = 0.0
    until: float = 0.0
    # What was begun earlier says nothing new.
    news_from: float = 0.0
    is_open: bool = False
    # When the last call that tries it began, while one is under way.
    probed: float | None = None

    def wait(self, now: float) -> float:
        if not self.is_open:
            return 0.0
        if self.probed is not None:
            return max(0.0, min(PROBE_SECONDS, self.probed + NEXT_PROBE_SECONDS - now))
        return max(0.0, self.until - now)


class Breakers:
    """One circuit breaker per provider.

    Ask `wait`, then `begin`, and tell with the same `began` how it went: `failed`, `answers` at its
    first byte, `went_well` at its end; `let_go` says that nothing was learnt.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._troubles: dict[int, _Trouble] = {}

    def wait(self, provider_id: int, now: float) -> float:
        """Return the seconds until a call may go to the provider, 0 if one may go now."""
        trouble = self._troubles.get(provider_id)
        return 0.0 if trouble is None else trouble.wait(now)

    def begin(self, provider_id: int, now: float) -> bool:
        """Tell whether a call may go there now; after a rest, it is a probe.

        There is one of them at first, and one more every NEXT_PROBE_SECONDS until one has ended.
        """
        trouble = self._troubles.get(provider_id)
        if trouble is None or not trouble.is_open:
            return True
        if trouble.wait(now):
            return False
        trouble.probed = now
        return True

    def failed(self, provider_id: int, began: float, now: float) -> None:
        """Count a failure, unless it was begun before the provider was left alone."""
        trouble = self._troubles.get(provider_id)
        if trouble is None:
            known = self._routes.table.providers
            if provider_id not in known:
                return
            # Whoever is not in the table any more is forgotten, so this cannot grow.
            self._troubles = {id_: one for id_, one in self._troubles.items() if id_ in known}
            trouble = self._troubles[provider_id] = _Trouble()
        if began < trouble.news_from:
            return
        trouble.failures += 1
        if trouble.failures >= MOST_FAILURES:
            trouble.since = trouble.since if trouble.rest else now
            trouble.rest = min(trouble.rest * 2 or FIRST_REST, LONGEST_REST)
            trouble.until, trouble.news_from = now + trouble.rest, now
            trouble.is_open, trouble.probed = True, None

    def answers(self, provider_id: int, began: float) -> None:
        """The first byte of an answer: calls may go there, but one more failure ends that."""
        trouble = self._troubles.get(provider_id)
        if trouble is not None and began >= trouble.news_from:
            trouble.is_open, trouble.probed = False, None

    def went_well(self, provider_id: int, began: float) -> None:
        """A whole answer: what went wrong before is forgotten."""
        trouble = self._troubles.get(provider_id)
        if trouble is not None and began >= trouble.news_from:
            del self._troubles[provider_id]

    def let_go(self, provider_id: int, began: float) -> None:
        """The call says nothing of the provider; if it was the last probe, the next one is."""
        trouble = self._troubles.get(provider_id)
        if trouble is not None and began == trouble.probed:
            trouble.probed = None

    def states(self, now: float) -> dict[str, tuple[int, float]]:
        """Return by slug each provider's state, and the seconds since it was first left alone.

        They are counted through all relapses; those of a closed one are 0.
        """
        return {
            route.slug: self._state(self._troubles.get(route.id), now)
            for route in self._routes.table.providers.values()
        }

    def _state(self, trouble: _Trouble | None, now: float) -> tuple[int, float]:
        if trouble is None or not trouble.is_open:
            return CLOSED, 0.0
        is_over = trouble.probed is not None or not trouble.wait(now)
        return HALF_OPEN if is_over else OPEN, now - trouble.since
