"""What stands in every blind answer in place of what the provider says of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from apps.gateway.usage_tap import Json, Usage

_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# The strictest of providers takes tool calls' ids of exactly so many letters and digits.
_ID_LENGTH: Final = 9


class Shape:
    """Makes the answers of one format anew. One instance for each answer: events are counted."""

    def answer(self, answer: Json) -> Json:
        raise NotImplementedError

    def event(self, event: Json) -> Json | None:
        """Return what becomes of an event; None takes it out."""
        return None

    def events(self, event: Json) -> list[Json]:
        """Like event(), for formats in which servers put more or less into one."""
        made = self.event(event)
        return [] if made is None else [made]

    def last(self) -> list[Json]:
        """Return the events that are put before the end of a stream."""
        return []


@dataclass(frozen=True, slots=True)
class Mask:
    """`hex_id` is the call's id, `created` the moment it was admitted in seconds since 1970.

    `counted` returns the tokens as they are known when it is called; what the provider does not
    state is estimated. `wants_usage`: the developer asked for them in a stream.
    """

    hex_id: str
    alias: str
    created: int
    counted: Callable[[], Usage]
    wants_usage: bool = False

    def opaque(self, theirs: object) -> str:
        """Return an id in place of a provider's: the same for the same within an answer.

        Developers send such ids back, and providers only look whether they agree with each other.
        """
        number = int.from_bytes(sha256(f"{self.hex_id}:{theirs}".encode()).digest()[:8])
        digits = ""
        for _ in range(_ID_LENGTH):
            number, digit = divmod(number, 62)
            digits += _DIGITS[digit]
        return digits

    def counts(self, prompt: str, completion: str = "") -> Json:
        """Return the token counts under the names that a format has for them."""
        usage = self.counted()
        counts = {prompt: usage.prompt or 0}
        if completion:
            counts[completion] = usage.completion or 0
        return counts | {"total_tokens": sum(counts.values())}


def only(value: Any, kind: type, default: Any = None) -> Any:
    """Return a value of a provider's if it is what it should be."""
    return value if type(value) is kind else default


def each(values: Any, make: Callable[[Json], Json | None]) -> list[Json]:
    """Return what is made of the objects in a list, if it is one."""
    made = [make(value) for value in only(values, list, []) if isinstance(value, dict)]
    return [one for one in made if one is not None]
