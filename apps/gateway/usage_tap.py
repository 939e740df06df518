"""Read token counts and the shape of an answer from its parsed events, in OpenAI's format.

Usage comes in an event of its own, in the last one, in every one (cumulative), under `x_groq`, or
never: the last one seen counts, nothing is ever summed. What was written after it is in no count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

# Fields of a delta or message that hold what the model wrote.
_TEXTS: Final = ("content", "reasoning_content", "reasoning", "refusal")
MOST_TOKENS: Final = 2**31 - 1
# What every event of a stream has, whatever it is for.
_FRAME: Final = frozenset(
    (
        "id",
        "object",
        "created",
        "model",
        "system_fingerprint",
        "service_tier",
        "obfuscation",
        "choices",
        "usage",
    )
)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the provider states them; `cached` is a part of `prompt`."""

    prompt: int | None
    completion: int | None
    cached: int | None


class UsageTap:
    """Show it every parsed event, or the whole answer once; it keeps counts and no text."""

    def __init__(self) -> None:
        self._usage: Json | None = None
        self._tools: set[tuple[int, int]] = set()
        self.content_bytes = 0
        # How much of that had been written when the completion was last counted.
        self.counted_bytes = 0
        self.finish_reason = ""

    @property
    def tool_calls(self) -> int:
        return len(self._tools)

    @property
    def has_content(self) -> bool:
        return self.content_bytes > 0

    def see(self, event: Json) -> None:
        choices = event.get("choices")
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if not isinstance(choice, dict):
                continue
            reason = choice.get("finish_reason")
            # Some servers put an empty text where others put null.
            if isinstance(reason, str) and reason:
                self.finish_reason = reason[:32]
            if isinstance(text := choice.get("text"), str):
                self.content_bytes += len(text.encode())
            turn = choice.get("delta") or choice.get("message")
            if isinstance(turn, dict):
                self._see_turn(turn, choice.get("index", position))
        # Last, because a count holds what stands in its own event.
        if (usage := usage_in(event)) is not None:
            self._usage, self.counted_bytes = usage, self.content_bytes

    def usage(self) -> Usage | None:
        """Return the last usage stated, or None."""
        if (stated := self._usage) is None:
            return None
        details = stated.get("prompt_tokens_details") or stated.get("input_tokens_details")
        cached = as_count(details.get("cached_tokens")) if isinstance(details, dict) else None
        prompt = as_count(stated.get("prompt_tokens", stated.get("input_tokens")))
        completion = as_count(stated.get("completion_tokens", stated.get("output_tokens")))
        if cached is None:
            cached = as_count(stated.get("prompt_cache_hit_tokens"))
        if prompt is None and completion is None:
            return None
        if cached is not None and prompt is not None:
            cached = min(cached, prompt)
        return Usage(prompt, completion, cached)

    def _see_turn(self, turn: Json, choice: Any) -> None:
        for name in _TEXTS:
            if text := turn.get(name):
                self.content_bytes += len(text.encode()) if type(text) is str else _size(text)
        calls = turn.get("tool_calls")
        if not isinstance(calls, list):
            return
        for position, call in enumerate(calls):
            if not isinstance(call, dict):
                continue
            index = call.get("index", position)
            if isinstance(choice, int) and isinstance(index, int):
                self._tools.add((choice, index))
            function = call.get("function")
            if isinstance(function, dict):
                for part in (function.get("name"), function.get("arguments")):
                    if isinstance(part, str):
                        self.content_bytes += len(part.encode())


def _size(content: Any, levels: int = 4) -> int:
    """Return how many bytes of text there are in a text, or in a list of parts that hold some."""
    if isinstance(content, str):
        return len(content.encode())
    if not levels:
        return 0
    if isinstance(content, list):
        return sum([_size(part, levels - 1) for part in content])
    if isinstance(content, dict):
        parts = (content.get("text"), content.get("thinking"))
        return sum([_size(part, levels - 1) for part in parts])
    return 0


def usage_in(event: Json) -> Json | None:
    """Return the usage object of an event wherever it stands, or None."""
    usage = event.get("usage")
    if not isinstance(usage, dict):
        groq = event.get("x_groq")
        usage = groq.get("usage") if isinstance(groq, dict) else None
    return usage if isinstance(usage, dict) else None


def is_usage_only(event: Json) -> bool:
    """Tell whether an event exists only to state the usage, be it that there is none."""
    if event.get("choices") or "usage" not in event:
        return False
    # Null stands in every event once usage was asked for, so it must not hide what else is said.
    return isinstance(event["usage"], dict) or (event["usage"] is None and event.keys() <= _FRAME)


def as_count(value: object) -> int | None:
    """Return a count of tokens if that is what it can be, else None. Some servers write 9.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS:
        return value
    return None
