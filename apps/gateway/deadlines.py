"""Time limits that cost a set entry instead of a timer each, exact to a tenth of a second.

A call has four of them one after the other, and hardly any is ever reached.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Final, Protocol, Self

GRAIN_SECONDS: Final = 0.1


class Expiring(Protocol):
    """What can be added: at its `instant`, of the event loop's clock, it is told to expire."""

    instant: float

    def expire(self) -> None: ...


class Deadlines:
    """The limits of one event loop; one timer runs while any is active."""

    def __init__(self) -> None:
        self._active: set[Expiring] = set()
        self._is_ticking = False

    def after(self, seconds: float) -> Deadline:
        """Return a context manager that raises TimeoutError in its block after so long."""
        return Deadline(self, asyncio.get_running_loop().time() + seconds)

    def at(self, instant: float) -> Deadline:
        """Like after(), at an instant of the event loop's clock."""
        return Deadline(self, instant)

    def add(self, deadline: Expiring) -> None:
        self._active.add(deadline)
        if not self._is_ticking:
            self._is_ticking = True
            asyncio.get_running_loop().call_later(GRAIN_SECONDS, self._tick)

    def discard(self, deadline: Expiring) -> None:
        self._active.discard(deadline)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for deadline in [one for one in self._active if one.instant <= now]:
            self._active.discard(deadline)
            deadline.expire()
        self._is_ticking = bool(self._active)
        if self._is_ticking:
            loop.call_later(GRAIN_SECONDS, self._tick)


class Deadline:
    """One limit, for the task that enters it."""

    __slots__ = ("_all", "_cancelling", "_has_expired", "_task", "instant")

    def __init__(self, all_: Deadlines, instant: float) -> None:
        self._all = all_
        self._task: asyncio.Task[Any] | None = None
        self._cancelling = 0
        self._has_expired = False
        self.instant = instant

    def __enter__(self) -> Self:
        self._task = task = asyncio.current_task()
        assert task is not None
        self._cancelling = task.cancelling()
        self._all.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._has_expired:
            self._all.discard(self)
            return
        assert self._task is not None
        # Somebody else may have cancelled us as well; then that is what counts.
        ours = self._task.uncancel() <= self._cancelling
        if ours and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        assert self._task is not None
        self._has_expired = True
        self._task.cancel()
