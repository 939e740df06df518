"""How much this process takes on at once, before it has read what is asked.

A key's calls at once are limited together with other processes once a request is whole, see
limiter.py. Here they are limited before, because bodies that are still arriving take memory.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Final

from apps.gateway.errors import Refusal

PER_PROCESS: Final = 1_000
RETRY_AFTER: Final = 1


class Slots:
    """Counts running calls; `with slots.taken(key_id, most)` holds one place."""

    def __init__(self, *, per_process: int = PER_PROCESS) -> None:
        self.per_process = per_process
        self.running = 0
        self._by_key: Counter[int] = Counter()

    def taken(self, key_id: int, most: int | None) -> Slot:
        return Slot(self, key_id, most)

    def take(self, key_id: int, most: int | None) -> None:
        """Raises Refusal where there is no place left; None is without limit."""
        if self.running >= self.per_process:
            raise Refusal(
                503,
                "overloaded",
                "PilotDash is handling as many calls as it can. Please try again in a moment.",
                retry_after=RETRY_AFTER,
            )
        if most is not None and self._by_key[key_id] >= most:
            raise Refusal(
                429,
                "too_many_at_once",
                f"Your key already has {most:,} calls running, which is the limit. "
                "There is room again as soon as one of them ends.",
                retry_after=RETRY_AFTER,
            )
        self.running += 1
        self._by_key[key_id] += 1

    def give_back(self, key_id: int) -> None:
        self.running -= 1
        self._by_key[key_id] -= 1
        if not self._by_key[key_id]:
            del self._by_key[key_id]


class Slot:
    """One place, for the length of a `with`."""

    __slots__ = ("_key_id", "_most", "_slots")

    def __init__(self, slots: Slots, key_id: int, most: int | None) -> None:
        self._slots = slots
        self._key_id = key_id
        self._most = most

    def __enter__(self) -> None:
        self._slots.take(self._key_id, self._most)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._slots.give_back(self._key_id)
