"""Anthropic's messages: named events, the prompt's cached tokens stand beside the others."""

from __future__ import annotations

from typing import Any, Final

import orjson

from apps.gateway.drivers.wire import Wire
from apps.gateway.errors import is_openai_error
from apps.gateway.usage_tap import MOST_TOKENS, Json, Usage, UsageTap, as_count

# Fields of a content block or a delta that hold what the model wrote.
_TEXTS: Final = ("text", "thinking", "partial_json")
_TOOL_USES: Final = ("tool_use", "server_tool_use", "mcp_tool_use")


class MessagesTap(UsageTap):
    """Counts are stated at the start and again, cumulative, at the end: the last of each counts."""

    def __init__(self) -> None:
        super().__init__()
        self._stated: Json = {}

    def see(self, event: Json) -> None:
        match event.get("type"):
            case "content_block_delta":
                self._see_texts(event.get("delta"))
            case "content_block_start":
                self._see_block(event.get("content_block"), event.get("index"))
            case "message_start":
                self._see_message(event.get("message"))
            case "message_delta":
                self._see_end(event.get("delta"))
                self._take(event.get("usage"))
            case "message":
                self._see_message(event)

    def usage(self) -> Usage | None:
        stated = self._stated
        fresh = as_count(stated.get("input_tokens"))
        completion = as_count(stated.get("output_tokens"))
        if fresh is None and completion is None:
            return None
        read = as_count(stated.get("cache_read_input_tokens"))
        written = as_count(stated.get("cache_creation_input_tokens"))
        whole = (fresh or 0) + (read or 0) + (written or 0)
        prompt = None if fresh is None else min(whole, MOST_TOKENS)
        return Usage(prompt, completion, read)

    def _see_message(self, message: Any) -> None:
        if not isinstance(message, dict):
            return
        content = message.get("content")
        for index, block in enumerate(content if isinstance(content, list) else ()):
            self._see_block(block, index)
        self._see_end(message)
        self._take(message.get("usage"))

    def _see_block(self, block: Any, index: Any) -> None:
        self._see_texts(block)
        if isinstance(block, dict) and block.get("type") in _TOOL_USES and isinstance(index, int):
            self._tools.add((0, index))
            if arguments := block.get("input"):
                self.content_bytes += len(orjson.dumps(arguments))
            if isinstance(name := block.get("name"), str):
                self.content_bytes += len(name.encode())

    def _see_texts(self, part: Any) -> None:
        if isinstance(part, dict):
            for name in _TEXTS:
                if isinstance(text := part.get(name), str):
                    self.content_bytes += len(text.encode())

    def _see_end(self, part: Any) -> None:
        reason = part.get("stop_reason") if isinstance(part, dict) else None
        if isinstance(reason, str) and reason:
            self.finish_reason = reason[:32]

    def _take(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self._stated |= {name: one for name, one in usage.items() if one is not None}
            if usage.get("output_tokens") is not None:
                self.counted_bytes = self.content_bytes


class CountTap(UsageTap):
    """Counting tokens is free: nothing was generated and nothing is billed."""

    def usage(self) -> Usage:
        return Usage(0, 0, None)


def _is_anthropic_error(event: Json) -> bool:
    return event.get("type") == "error" and is_openai_error(event)


MESSAGES: Final = Wire(
    new_tap=MessagesTap,
    relays_error=_is_anthropic_error,
    ends=frozenset(("message_stop",)),
    nested="message",
    is_anthropic=True,
    marks=frozenset(("content",)),
)
COUNT_TOKENS: Final = Wire(new_tap=CountTap, is_anthropic=True, marks=frozenset(("input_tokens",)))
