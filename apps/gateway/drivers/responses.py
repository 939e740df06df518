"""OpenAI's responses: named events of which the last repeats the whole answer with its counts."""

from __future__ import annotations

from typing import Any, Final

from apps.gateway.drivers.wire import Wire, error_in
from apps.gateway.usage_tap import Json, UsageTap

ENDS: Final = frozenset(("response.completed", "response.incomplete"))
FAILED: Final = "response.failed"
_TOOL_CALLS: Final = ("function_call", "custom_tool_call")
_TEXTS: Final = ("text", "refusal", "arguments", "input")


class ResponsesTap(UsageTap):
    """Reads the pieces as they pass, and the counts where the whole response is stated."""

    def see(self, event: Json) -> None:
        kind = event.get("type")
        if not isinstance(kind, str):
            self._see_response(event)
            for item in _items(event.get("output")):
                self._see_written(item)
            self.counted_bytes = self.content_bytes
        elif kind.endswith(".delta"):
            if isinstance(delta := event.get("delta"), str):
                self.content_bytes += len(delta.encode())
        elif kind == "response.output_item.added":
            self._see_tool(event.get("item"), event.get("output_index"))
        elif isinstance(response := event.get("response"), dict):
            self._see_response(response)

    def _see_response(self, response: Json) -> None:
        if isinstance(usage := response.get("usage"), dict):
            self._usage, self.counted_bytes = usage, self.content_bytes
        for index, item in enumerate(_items(response.get("output"))):
            self._see_tool(item, index)
        match response.get("status"):
            case "completed":
                self.finish_reason = "tool_calls" if self._tools else "stop"
            case "incomplete":
                details = response.get("incomplete_details")
                reason = details.get("reason") if isinstance(details, dict) else None
                self.finish_reason = reason[:32] if isinstance(reason, str) else "incomplete"

    def _see_tool(self, item: Any, index: Any) -> None:
        if isinstance(item, dict) and item.get("type") in _TOOL_CALLS and isinstance(index, int):
            self._tools.add((0, index))

    def _see_written(self, item: Any) -> None:
        if not isinstance(item, dict):
            return
        parts = [item, *_items(item.get("content")), *_items(item.get("summary"))]
        for part in parts:
            for name in _TEXTS:
                if isinstance(part, dict) and isinstance(text := part.get(name), str):
                    self.content_bytes += len(text.encode())


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _error_in(event: Json) -> object | None:
    if event.get("type") == FAILED:
        response = event.get("response")
        return (response.get("error") if isinstance(response, dict) else None) or FAILED
    if event.get("type") == "error":
        return event.get("error") or event
    if event.get("status") == "failed":
        return event.get("error") or FAILED
    return error_in(event)


def _relays_error(event: Json) -> bool:
    kind = event.get("type")
    return kind == FAILED or (kind == "error" and isinstance(event.get("message"), str))


RESPONSES: Final = Wire(
    new_tap=ResponsesTap,
    error_in=_error_in,
    relays_error=_relays_error,
    ends=ENDS,
    nested="response",
    marks=frozenset(("output",)),
)
