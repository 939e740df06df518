"""Blind answers in OpenAI's formats: chats, texts, embeddings, and rerank."""

from __future__ import annotations

from typing import Any, Final

import orjson

from apps.gateway.blind.mask import Mask, Shape, each, only
from apps.gateway.drivers.fim import as_chat
from apps.gateway.usage_tap import Json

# Engines have words of their own for why they stopped.
REASONS: Final = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "function_call",
    "content_filter": "content_filter",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "tool_use": "tool_calls",
    "safety": "content_filter",
}
_REASONINGS: Final = ("reasoning_content", "reasoning")


class BlindTurns(Shape):
    """Chats, and texts where `is_text`; a provider's texts become chats where `is_chat_of_text`.

    Some servers begin with an event that names the role, some name it in each, some put the last
    words into the event that ends a choice. Here an event begins a choice, one ends it, and those
    between them hold what is said.
    """

    def __init__(self, mask: Mask, *, is_text: bool, is_chat_of_text: bool) -> None:
        self._mask = mask
        self._is_text = is_text
        self._is_chat_of_text = is_chat_of_text
        self._begun: set[int] = set()
        self._ended: set[int] = set()

    def answer(self, answer: Json) -> Json:
        if self._is_chat_of_text:
            answer = as_chat(answer, is_event=False)
        kind = "text_completion" if self._is_text else "chat.completion"
        made = self._head(kind) | {"choices": each(answer.get("choices"), self._choice)}
        return made | {"usage": self._mask.counts("prompt_tokens", "completion_tokens")}

    def events(self, event: Json) -> list[Json]:
        if self._is_chat_of_text:
            event = as_chat(event, is_event=True)
        choices = only(event.get("choices"), list, [])
        parts = [self._begin(choices), each(choices, self._said), self._end(choices)]
        return [self._chunk(part) for part in parts if part]

    def last(self) -> list[Json]:
        if not self._mask.wants_usage:
            return []
        usage = self._mask.counts("prompt_tokens", "completion_tokens")
        return [self._chunk([]) | {"usage": usage}]

    def _chunk(self, choices: list[Json]) -> Json:
        kind = "text_completion" if self._is_text else "chat.completion.chunk"
        return self._head(kind) | {"choices": choices}

    def _head(self, kind: str) -> Json:
        mask, prefix = self._mask, "cmpl-" if self._is_text else "chatcmpl-"
        return {
            "id": prefix + mask.hex_id,
            "object": kind,
            "created": mask.created,
            "model": mask.alias,
        }

    def _choice(self, choice: Json) -> Json:
        made: Json = {"index": _index(choice)}
        if self._is_text:
            made["text"] = only(choice.get("text"), str, "")
        else:
            message = only(choice.get("message"), dict, {})
            made["message"] = {"role": "assistant", "content": None}
            made["message"] |= self._turn(message, is_whole=True)
        return made | {"finish_reason": _reason(choice)}

    def _begin(self, choices: list[Any]) -> list[Json]:
        """Return a beginning for each choice of a chat that has had none."""
        if self._is_text:
            return []
        new = dict.fromkeys(_index(choice) for choice in choices if isinstance(choice, dict))
        new = {index: None for index in new if index not in self._begun}
        self._begun |= new.keys()
        begun = {"delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        return [{"index": index} | begun for index in new]

    def _said(self, choice: Json) -> Json | None:
        made: Json
        if self._is_text:
            made = {"text": text} if (text := only(choice.get("text"), str)) else {}
        else:
            delta = self._turn(only(choice.get("delta"), dict, {}), is_whole=False)
            made = {"delta": delta} if delta else {}
        return {"index": _index(choice)} | made | {"finish_reason": None} if made else None

    def _end(self, choices: list[Any]) -> list[Json]:
        ended: list[Json] = []
        for choice in choices:
            reason = _reason(choice) if isinstance(choice, dict) else None
            if reason is not None and (index := _index(choice)) not in self._ended:
                self._ended.add(index)
                nothing: Json = {"text": ""} if self._is_text else {"delta": {}}
                ended.append({"index": index} | nothing | {"finish_reason": reason})
        return ended

    def _turn(self, turn: Json, *, is_whole: bool) -> Json:
        made: Json = {}
        content = turn.get("content")
        texts = [(name, turn.get(name)) for name in _REASONINGS]
        reasoning = next((text for _, text in texts if text and isinstance(text, str)), "")
        if isinstance(content, list):  # of parts: thoughts and what is said
            reasoning += "".join(_thoughts_in(content))
            content = "".join(_texts_in(content))
        if isinstance(content, str) and (content or is_whole):
            made["content"] = content
        if reasoning:
            made["reasoning_content"] = reasoning
        if refusal := only(turn.get("refusal"), str):
            made["refusal"] = refusal
        called = _function(only(turn.get("function_call"), dict, {}))
        if any(called.values()):
            made["function_call"] = called
        calls = only(turn.get("tool_calls"), list, [])
        tools = [
            self._tool(call, position, is_whole)
            for position, call in enumerate(calls)
            if isinstance(call, dict)
        ]
        tools = [tool for tool in tools if "id" in tool or any(tool["function"].values())]
        return made | {"tool_calls": tools} if tools else made

    def _tool(self, call: Json, position: int, is_whole: bool) -> Json:
        made: Json = {}
        if not is_whole:
            made["index"] = only(call.get("index"), int, position)
        if is_whole or call.get("id"):
            made |= {"id": self._mask.opaque(call.get("id") or position), "type": "function"}
        return made | {"function": _function(only(call.get("function"), dict, {}))}


class BlindVectors(Shape):
    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def answer(self, answer: Json) -> Json:
        return {
            "object": "list",
            "data": each(answer.get("data"), _vector),
            "model": self._mask.alias,
            "usage": self._mask.counts("prompt_tokens"),
        }


class BlindRanks(BlindVectors):
    """Servers put the ranks under one of two names: here they stand under both."""

    def answer(self, answer: Json) -> Json:
        ranks = each(answer.get("results") or answer.get("data"), _rank)
        mask = self._mask
        made = {"id": f"rerank-{mask.hex_id}", "object": "list", "model": mask.alias}
        usage = mask.counts("prompt_tokens")
        return made | {"results": ranks, "data": ranks, "usage": usage}


class BlindCount(BlindVectors):
    def answer(self, answer: Json) -> Json:
        return {"input_tokens": only(answer.get("input_tokens"), int, 0)}


def _index(choice: Json) -> int:
    return int(only(choice.get("index"), int, 0))


def _reason(choice: Json) -> str | None:
    reason = only(choice.get("finish_reason"), str)
    return REASONS.get(reason, "stop") if reason else None


def _texts_in(parts: list[Any]) -> list[str]:
    return [
        part["text"]
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    ]


def _thoughts_in(parts: list[Any]) -> list[str]:
    found: list[str] = []
    for part in parts:
        thought = part.get("thinking") if isinstance(part, dict) else None
        found += [thought] if isinstance(thought, str) else _texts_in(only(thought, list, []))
    return found


def _function(function: Json) -> Json:
    made: Json = {}
    if isinstance(name := function.get("name"), str):
        made["name"] = name
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        arguments = orjson.dumps(arguments).decode()
    if isinstance(arguments, str):
        made["arguments"] = arguments
    return made


def _vector(row: Json) -> Json:
    vector = row.get("embedding")
    if isinstance(vector, list):
        vector = [number for number in vector if isinstance(number, int | float)]
    elif not isinstance(vector, str):
        vector = []
    return {
        "object": "embedding",
        "index": only(row.get("index"), int, 0),
        "embedding": vector,
    }


def _rank(row: Json) -> Json:
    score = row.get("relevance_score")
    made: Json = {
        "index": only(row.get("index"), int, 0),
        "relevance_score": score if isinstance(score, int | float) else 0.0,
    }
    document = row.get("document")
    text = document.get("text") if isinstance(document, dict) else document
    return made | {"document": {"text": text}} if isinstance(text, str) else made
