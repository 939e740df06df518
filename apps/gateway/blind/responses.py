"""Blind answers in the format of OpenAI's responses. Items that only some have are left out."""

from __future__ import annotations

from typing import Any, Final

from apps.gateway.blind.mask import Mask, Shape, each, only
from apps.gateway.usage_tap import Json

STATUSES: Final = ("completed", "failed", "in_progress", "incomplete", "cancelled", "queued")
_UNDER_WAY: Final = ("in_progress", "queued")
INCOMPLETE: Final = ("max_output_tokens", "content_filter")
_PREFIXES: Final = {
    "message": "msg_",
    "function_call": "fc_",
    "custom_tool_call": "ctc_",
    "reasoning": "rs_",
}
# What an event of each type says, apart from where it belongs.
_SAYS: Final = {
    "response.output_text.delta": "delta",
    "response.output_text.done": "text",
    "response.refusal.delta": "delta",
    "response.refusal.done": "refusal",
    "response.function_call_arguments.delta": "delta",
    "response.function_call_arguments.done": "arguments",
    "response.custom_tool_call_input.delta": "delta",
    "response.custom_tool_call_input.done": "input",
    "response.reasoning_text.delta": "delta",
    "response.reasoning_text.done": "text",
    "response.reasoning_summary_text.delta": "delta",
    "response.reasoning_summary_text.done": "text",
}
_WHOLE: Final = (
    "response.created",
    "response.in_progress",
    "response.completed",
    "response.incomplete",
)
_ITEMS: Final = ("response.output_item.added", "response.output_item.done")
_PARTS: Final = (
    "response.content_part.added",
    "response.content_part.done",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
)


# What developers asked for that a response repeats.
ASKED: Final = ("tools", "tool_choice", "parallel_tool_calls")


class BlindResponses(Shape):
    def __init__(self, mask: Mask, asked: Json) -> None:
        """`asked` holds the values of ASKED that the request has."""
        self._mask = mask
        self._asked = {
            "tools": only(asked.get("tools"), list, []),
            "tool_choice": asked.get("tool_choice") or "auto",
            "parallel_tool_calls": only(asked.get("parallel_tool_calls"), bool, True),
        }
        self._sent = 0
        self._items: dict[Any, tuple[int, str]] = {}  # the provider's index -> ours and our id

    def answer(self, answer: Json) -> Json:
        return self._response(answer)

    def event(self, event: Json) -> Json | None:
        kind = only(event.get("type"), str, "")
        made: Json | None = None
        if kind in _WHOLE:
            made = {"response": self._response(only(event.get("response"), dict, {}))}
        elif kind in _ITEMS:
            made = self._placed_item(event)
        elif kind in _PARTS:
            part = _part(only(event.get("part"), dict, {}))
            made = None if part is None else self._placed(event, {"part": part})
        elif (name := _SAYS.get(kind)) is not None:
            text = only(event.get(name), str, "")
            made = self._placed(event, {name: text}) if text or name != "delta" else None
        if made is None:
            return None
        self._sent += 1
        return {"type": kind, "sequence_number": self._sent - 1} | made

    def _response(self, response: Json) -> Json:
        mask, status = self._mask, response.get("status")
        details = only(response.get("incomplete_details"), dict, {})
        reason = details.get("reason")
        reason = reason if reason in INCOMPLETE else INCOMPLETE[0]
        return {
            "id": f"resp_{mask.hex_id}",
            "object": "response",
            "created_at": mask.created,
            "status": status if status in STATUSES else "completed",
            "error": None,
            "incomplete_details": {"reason": reason} if status == "incomplete" else None,
            "model": mask.alias,
            "output": each(response.get("output"), self._item),
            **self._asked,
            "usage": None if status in _UNDER_WAY else self._usage(),
        }

    def _usage(self) -> Json:
        """OpenAI's type has the details. What is the same in every answer tells nothing."""
        return self._mask.counts("input_tokens", "output_tokens") | {
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }

    def _placed_item(self, event: Json) -> Json | None:
        item = self._item(only(event.get("item"), dict, {}))
        index = event.get("output_index")
        if item is None or not isinstance(index, int):
            return None
        place, _ = self._items.setdefault(index, (len(self._items), item["id"]))
        return {"output_index": place, "item": item}

    def _placed(self, event: Json, said: Json) -> Json | None:
        index = event.get("output_index")
        found = self._items.get(index) if isinstance(index, int) else None
        if found is None:
            return None
        place, item_id = found
        made: Json = {"item_id": item_id, "output_index": place}
        for name in ("content_index", "summary_index"):
            if type(at := event.get(name)) is int:
                made[name] = at
        return made | said

    def _item(self, item: Json) -> Json | None:
        kind = only(item.get("type"), str, "")
        if (prefix := _PREFIXES.get(kind)) is None:
            return None
        made: Json = {"id": prefix + self._mask.opaque(item.get("id")), "type": kind}
        if (status := item.get("status")) in STATUSES:
            made["status"] = status
        if kind == "message":
            return made | {"role": "assistant", "content": each(item.get("content"), _part)}
        if kind == "reasoning":
            made["summary"] = each(item.get("summary"), _part)
            thoughts = each(item.get("content"), _part)
            return made | {"content": thoughts} if thoughts else made
        made["call_id"] = self._mask.opaque(item.get("call_id"))
        said = "arguments" if kind == "function_call" else "input"
        for name in ("name", said):
            made[name] = only(item.get(name), str, "")
        return made


def _part(part: Json) -> Json | None:
    match kind := part.get("type"):
        case "output_text":
            return {"type": kind, "text": only(part.get("text"), str, ""), "annotations": []}
        case "refusal":
            return {"type": kind, "refusal": only(part.get("refusal"), str, "")}
        case "reasoning_text" | "summary_text":
            return {"type": kind, "text": only(part.get("text"), str, "")}
        case _:
            return None
