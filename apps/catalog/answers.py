"""Reading what a provider answers, whatever that is. Pure; nothing here raises on foreign bytes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

MODELS_AT_MOST: Final = 2_000
MODEL_NAME_AT_MOST: Final = 255
LINE_AT_MOST: Final = 1 << 20
MESSAGE_AT_MOST: Final = 300


def parsed(raw: bytes) -> Any:
    """Return the JSON value, or None where the bytes are none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def model_names(raw: bytes) -> list[str] | None:
    """Return the models that a list names, sorted, or None where it is no list of models.

    OpenAI's form is {"data": [{"id"}]}; some send the bare array, some {"models": [{"name"}]}.
    """
    value = parsed(raw)
    if isinstance(value, dict):
        value = next((value[key] for key in ("data", "models") if key in value), None)
    if not isinstance(value, list):
        return None
    names = set()
    for row in value[:MODELS_AT_MOST]:
        name = (row.get("id") or row.get("name")) if isinstance(row, dict) else row
        if isinstance(name, str) and 0 < len(name) <= MODEL_NAME_AT_MOST and name.isprintable():
            names.add(name)
    return sorted(names, key=str.lower)


def error_message(raw: bytes) -> str:
    """Return what an error body says, in one line, or an empty text."""
    value = parsed(raw)
    for _ in range(4):
        if isinstance(value, dict):
            keys = ("error", "message", "detail", "msg", "error_description")
            value = next((value[key] for key in keys if value.get(key)), None)
        elif isinstance(value, list):
            value = value[0] if value else None
    if not isinstance(value, str):
        return ""
    # JSON can spell half a character, which no page can be encoded with.
    plain = value.encode(errors="replace").decode()
    return " ".join(plain.split())[:MESSAGE_AT_MOST]


@dataclass(slots=True)
class StreamReader:
    """Feed it a stream of events; it notes what the first streamed answer shows."""

    text: str = ""
    has_content: bool = False
    is_done: bool = False
    error: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    _rest: bytes = field(default=b"", repr=False)

    def feed(self, chunk: bytes) -> None:
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest if len(rest) <= LINE_AT_MOST else b""
        for line in lines:
            self._read(line.strip())

    def finish(self) -> None:
        """Read what stands after the last line break; a whole JSON answer has none."""
        rest, self._rest = self._rest.strip(), b""
        self._read(rest)

    def _read(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            line = line[5:].strip()
        elif not line.startswith(b"{"):
            return
        if line == b"[DONE]":
            self.is_done = True
            return
        event = parsed(line)
        if not isinstance(event, dict):
            return
        if event.get("error"):
            self.error = error_message(line) or "The provider sent an error in the stream."
        self._count(event.get("usage"))
        groq = event.get("x_groq")
        self._count(groq.get("usage") if isinstance(groq, dict) else None)
        for words in _contents(event):
            self.has_content = True
            self.text = (self.text + words)[:MESSAGE_AT_MOST]

    def _count(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self.prompt_tokens = _whole(usage.get("prompt_tokens"), self.prompt_tokens)
            self.completion_tokens = _whole(usage.get("completion_tokens"), self.completion_tokens)


def _contents(event: dict[str, Any]) -> Iterator[str]:
    choices = event.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        if not isinstance(choice, dict):
            continue
        # A model that thinks first may spend the few tokens of a test on that alone.
        for part in (choice.get("delta"), choice.get("message"), choice):
            if isinstance(part, dict):
                for key in ("content", "reasoning_content", "reasoning", "text"):
                    if isinstance(part.get(key), str) and part[key]:
                        yield part[key]


def _whole(value: Any, otherwise: int | None) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count else otherwise
