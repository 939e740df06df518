"""How much one process and one key may do at once. Slots are given back however a call ends."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import Final

from apps.gateway.errors import Refusal

PER_KEY: Final = 10
PER_PROCESS: Final = 1_000
RETRY_AFTER: Final = 1


class Slots:
    """Counts running calls; `with slots.taken(key_id)` holds one place."""

    def __init__(self, *, per_key: int = PER_KEY, per_process: int = PER_PROCESS) -> None:
        self.per_key = per_key
        self.per_process = per_process
        self.running = 0
        self._by_key: Counter[int] = Counter()

    def taken(self, key_id: int) -> Slot:
        return Slot(self, key_id)

    def take(self, key_id: int) -> None:
        """Raises Refusal where there is no place left."""
        if self.running >= self.per_process:
            raise Refusal(
                503,
                "overloaded",
                "PilotDash is handling as many calls as it can. Please try again in a moment.",
                retry_after=RETRY_AFTER,
            )
        if self._by_key[key_id] >= self.per_key:
            raise Refusal(
                429,
                "too_many_at_once",
                f"Your key already has {self.per_key} calls running, which is its limit. "
                "It has room again as soon as one of them ends.",
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

    __slots__ = ("_key_id", "_slots")

    def __init__(self, slots: Slots, key_id: int) -> None:
        self._slots = slots
        self._key_id = key_id

    def __enter__(self) -> None:
        self._slots.take(self._key_id)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._slots.give_back(self._key_id)
