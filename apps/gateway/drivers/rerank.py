"""Rerank has no completion, and its counts stand in three places or nowhere."""

from __future__ import annotations

from typing import Any, Final

from apps.gateway.drivers.wire import Wire
from apps.gateway.usage_tap import Json, Usage, UsageTap, as_count

_PROMPTS: Final = ("prompt_tokens", "input_tokens", "total_tokens")


class RerankTap(UsageTap):
    """Search units are no tokens: an answer that states only those leaves them unknown."""

    def __init__(self) -> None:
        super().__init__()
        self._prompt: int | None = None

    def see(self, event: Json) -> None:
        meta = _object(event.get("meta"))
        for stated in (event.get("usage"), meta.get("tokens"), meta.get("billed_units")):
            for name in _PROMPTS:
                if (count := as_count(_object(stated).get(name))) is not None:
                    self._prompt = count
                    return

    def usage(self) -> Usage | None:
        return None if self._prompt is None else Usage(self._prompt, 0, None)


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


RERANK: Final = Wire(new_tap=RerankTap, marks=frozenset(("results", "data")))
