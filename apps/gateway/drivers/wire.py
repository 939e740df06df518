"""What must be known of a format to relay its answers: counts, errors, names, and the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from apps.gateway.errors import as_anthropic, error_event, is_openai_error, named_error_event
from apps.gateway.usage_tap import Json, UsageTap


def error_in(answer: Json) -> object | None:
    """Return the error that an answer or event reports where OpenAI's kin put it, or None."""
    error: object = answer.get("error")
    if error:
        return error
    groq = answer.get("x_groq")
    error = groq.get("error") if isinstance(groq, dict) else None
    return error or None


@dataclass(frozen=True, slots=True)
class Wire:
    """How the answers of one format are read, and how errors are said in it.

    Of a stream of named events, `ends` are the types that end it; without any, `[DONE]` does.
    `nested` is the key under which such an event keeps the object that names the model.
    `has_usage_option` tells whether `stream_options.include_usage` is a part of the format.
    An error event that `relays_error` is one that the format's clients can read as it came. What
    has none of the `marks` is no answer in this format.
    """

    new_tap: Callable[[], UsageTap] = UsageTap
    error_in: Callable[[Json], object | None] = error_in
    relays_error: Callable[[Json], bool] = is_openai_error
    ends: frozenset[str] = frozenset()
    nested: str = ""
    has_usage_option: bool = False
    is_anthropic: bool = False
    marks: frozenset[str] = frozenset(("choices", "data"))

    @property
    def event_marks(self) -> frozenset[str]:
        """One of these is a key of each event of a stream."""
        return frozenset(("type",)) if self.ends else self.marks

    def error_event(self, message: str, status: int, *, code: str) -> bytes:
        """Return an error as one event of a stream whose head has already gone out."""
        say = named_error_event if self.ends else error_event
        return say(message, status, code=code)

    def error_body(self, body: bytes) -> bytes:
        """Return an error in OpenAI's shape so that the format's clients read it as well."""
        return as_anthropic(body) if self.is_anthropic else body


OPENAI: Final = Wire(has_usage_option=True)
