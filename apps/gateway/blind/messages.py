"""Blind answers in Anthropic's format. Blocks of a kind that only some have are left out."""

from __future__ import annotations

from typing import Any, Final

from apps.gateway.blind.mask import Mask, Shape, each, only
from apps.gateway.usage_tap import Json

REASONS: Final = ("end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "pause_turn")
_DELTAS: Final = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
}


class BlindMessages(Shape):
    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._places: dict[Any, int] = {}  # the provider's index of a block -> ours

    def answer(self, answer: Json) -> Json:
        content = each(answer.get("content"), self._block)
        return self._message() | {"content": content} | _end(answer) | {"usage": self._usage()}

    def event(self, event: Json) -> Json | None:
        kind = event.get("type")
        match kind:
            case "message_start":
                start = self._message() | {"stop_reason": None, "stop_sequence": None}
                usage = self._usage() | {"output_tokens": 0}
                return {"type": kind, "message": start | {"usage": usage}}
            case "content_block_start":
                return self._start(event)
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                place = self._place(event)
                return None if place is None else {"type": kind, "index": place}
            case "message_delta":
                end = _end(only(event.get("delta"), dict, {}))
                return {"type": kind, "delta": end, "usage": self._usage()}
            case "message_stop":
                return {"type": kind}
            case _:
                return None

    def _message(self) -> Json:
        return {
            "id": f"msg_{self._mask.hex_id}",
            "type": "message",
            "role": "assistant",
            "model": self._mask.alias,
            "content": [],
        }

    def _usage(self) -> Json:
        counts = self._mask.counts("input_tokens", "output_tokens")
        return {name: counts[name] for name in ("input_tokens", "output_tokens")}

    def _block(self, block: Json) -> Json | None:
        match kind := block.get("type"):
            case "text":
                return {"type": kind, "text": only(block.get("text"), str, "")}
            case "thinking":
                # Signatures belong to one provider.
                thinking = only(block.get("thinking"), str, "")
                return {"type": kind, "thinking": thinking, "signature": ""}
            case "tool_use":
                return {
                    "type": kind,
                    "id": self._mask.opaque(block.get("id")),
                    "name": only(block.get("name"), str, ""),
                    "input": only(block.get("input"), dict, {}),
                }
            case _:
                return None

    def _start(self, event: Json) -> Json | None:
        block = self._block(only(event.get("content_block"), dict, {}))
        index = event.get("index")
        if block is None or not isinstance(index, int):
            return None
        place = self._places.setdefault(index, len(self._places))
        return {"type": "content_block_start", "index": place, "content_block": block}

    def _delta(self, event: Json) -> Json | None:
        place = self._place(event)
        delta = only(event.get("delta"), dict, {})
        kind = only(delta.get("type"), str, "")
        name = _DELTAS.get(kind)
        if place is None or name is None:
            return None
        if not (text := only(delta.get(name), str)):
            return None
        said = {"type": kind, name: text}
        return {"type": "content_block_delta", "index": place, "delta": said}

    def _place(self, event: Json) -> int | None:
        index = event.get("index")
        return self._places.get(index) if isinstance(index, int) else None


def _end(part: Json) -> Json:
    reason = only(part.get("stop_reason"), str)
    if reason is not None and reason not in REASONS:
        reason = "end_turn"
    return {"stop_reason": reason, "stop_sequence": only(part.get("stop_sequence"), str)}
