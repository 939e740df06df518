"""Blind answers in OpenAI's formats: chats, texts, embeddings, and rerank."""

from __future__ import annotations

from typing import Any, Final

import orjson

from apps.gateway.blind.mask import Mask, each, only
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


class BlindTurns:
    """Chats, and texts where `is_text`; a provider's texts become chats where `is_chat_of_text`."""

    def __init__(self, mask: Mask, *, is_text: bool, is_chat_of_text: bool) -> None:
        self._mask = mask
        self._is_text = is_text
        self._is_chat_of_text = is_chat_of_text

    def answer(self, answer: Json) -> Json:
        if self._is_chat_of_text:
            answer = as_chat(answer, is_event=False)
        kind = "text_completion" if self._is_text else "chat.completion"
        made = self._head(kind) | {"choices": each(answer.get("choices"), self._choice)}
        usage = self._mask.counts("prompt_tokens", "completion_tokens")
        return made | {"usage": usage} if usage else made

    def event(self, event: Json) -> Json | None:
        if self._is_chat_of_text:
            event = as_chat(event, is_event=True)
        choices = each(event.get("choices"), self._choice)
        said = [choice for choice in choices if _says_something(choice)]
        return self._chunk(said) if said else None

    def last(self) -> list[Json]:
        usage = self._mask.counts("prompt_tokens", "completion_tokens")
        if not self._mask.wants_usage or usage is None:
            return []
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
        reason = only(choice.get("finish_reason"), str)
        made: Json = {"index": only(choice.get("index"), int, 0)}
        if self._is_text:
            made["text"] = only(choice.get("text"), str, "")
        elif isinstance(delta := choice.get("delta"), dict):
            made["delta"] = self._turn(delta, is_whole=False)
        else:
            message = only(choice.get("message"), dict, {})
            made["message"] = {"role": "assistant", "content": None}
            made["message"] |= self._turn(message, is_whole=True)
        return made | {"finish_reason": REASONS.get(reason, "stop") if reason else None}

    def _turn(self, turn: Json, *, is_whole: bool) -> Json:
        made: Json = {}
        if turn.get("role"):
            made["role"] = "assistant"
        content = turn.get("content")
        texts = [(name, turn.get(name)) for name in _REASONINGS]
        reasoning = next((text for _, text in texts if text and isinstance(text, str)), "")
        if isinstance(content, list):  # of parts: thoughts and what is said
            reasoning += "".join(_thoughts_in(content))
            content = "".join(_texts_in(content))
        if isinstance(content, str):
            made["content"] = content
        if reasoning:
            made["reasoning_content"] = reasoning
        if isinstance(refusal := turn.get("refusal"), str):
            made["refusal"] = refusal
        if isinstance(called := turn.get("function_call"), dict):
            made["function_call"] = _function(called)
        calls = only(turn.get("tool_calls"), list, [])
        tools = [
            self._tool(call, position, is_whole)
            for position, call in enumerate(calls)
            if isinstance(call, dict)
        ]
        return made | {"tool_calls": tools} if tools else made

    def _tool(self, call: Json, position: int, is_whole: bool) -> Json:
        made: Json = {}
        if not is_whole:
            made["index"] = only(call.get("index"), int, position)
        if is_whole or call.get("id"):
            made |= {"id": self._mask.opaque(call.get("id") or position), "type": "function"}
        return made | {"function": _function(only(call.get("function"), dict, {}))}


class BlindVectors:
    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def answer(self, answer: Json) -> Json:
        made = {
            "object": "list",
            "data": each(answer.get("data"), _vector),
            "model": self._mask.alias,
        }
        usage = self._mask.counts("prompt_tokens")
        return made | {"usage": usage} if usage else made

    def event(self, event: Json) -> Json | None:
        return None

    def last(self) -> list[Json]:
        return []


class BlindRanks(BlindVectors):
    """Servers put the ranks under one of two names: here they stand under both."""

    def answer(self, answer: Json) -> Json:
        ranks = each(answer.get("results") or answer.get("data"), _rank)
        mask = self._mask
        made = {"id": f"rerank-{mask.hex_id}", "object": "list", "model": mask.alias}
        usage = mask.counts("prompt_tokens")
        return made | {"results": ranks, "data": ranks} | ({"usage": usage} if usage else {})


class BlindCount(BlindVectors):
    def answer(self, answer: Json) -> Json:
        return {"input_tokens": only(answer.get("input_tokens"), int, 0)}


def _says_something(choice: Json) -> bool:
    return bool(choice.get("text") or choice.get("delta") or choice["finish_reason"])


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
