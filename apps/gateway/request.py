"""Read what the gateway must know of a request, and prepare the body that the provider gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import orjson

from apps.gateway.bounds import DEFAULT, Bounds
from apps.gateway.scanner import Malformed, Span, Spans, member_span, parse_object, splice

MAX_MODEL: Final = 256
# Continue asks the chat's own model for a title; nobody reads that as an answer.
TITLE_PROMPT: Final = "reply with a title for the chat"
TITLE_TOKENS: Final = 64
TURN_TASKS: Final = ("chat", "edit", "agent")
UNFINISHED_TURN: Final = ("tool_calls", "function_call", "tool_use", "pause_turn")
NEVER_A_TURN: Final = ("embeddings", "rerank", "fim/completions", "messages/count_tokens")
# Where the formats keep the texts at which a model stops.
STOPS: Final = ("stop", "stop_sequences")


class NotAcceptable(Malformed):
    """A known field has a value that no provider could use. `param` names the field."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. `most_tokens` is the cap for all choices together, None without one.

    All that is written for `best_of` counts, too. `prompt` and `suffix` are as they came, of
    whatever type, for filling in the middle.
    """

    body: bytes
    spans: Spans
    model: str
    streamed: bool
    wants_usage: bool
    most_tokens: int | None
    has_tools: bool
    is_title: bool
    prompt: object = None
    suffix: object = None
    in_background: bool = False


def read_request(body: bytes, bounds: Bounds = DEFAULT) -> Request:
    """Return the request. Raises Malformed or NotAcceptable with a sentence for the developer."""
    fields, spans = parse_object(body, bounds)
    model = fields.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= MAX_MODEL:
        raise NotAcceptable("The field 'model' must name a model of your pilot.", "model")
    streamed = fields.get("stream")
    if streamed is not None and not isinstance(streamed, bool):
        raise NotAcceptable("The field 'stream' must be true or false.", "stream")
    options = fields.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise NotAcceptable("The field 'stream_options' must be an object.", "stream_options")
    choices = fields.get("n")
    if choices is not None and not (_is_count(choices) and choices <= bounds.choices):
        raise NotAcceptable(f"The field 'n' must be from 1 to {bounds.choices}.", "n")
    messages = fields.get("messages")
    if isinstance(messages, list) and len(messages) > bounds.messages:
        raise NotAcceptable(f"There are more than {bounds.messages} messages.", "messages")
    # Texts and tokens to be embedded may be more.
    items = fields.get("input")
    if isinstance(items, list) and len(items) > bounds.messages and isinstance(items[0], dict):
        raise NotAcceptable(f"There are more than {bounds.messages} messages.", "input")
    limit = (
        fields.get("max_completion_tokens")
        or fields.get("max_tokens")
        or fields.get("max_output_tokens")
    )
    cap = _as_count(limit)
    most = None if cap is None else cap * max(choices or 1, _as_count(fields.get("best_of")) or 1)
    return Request(
        body=body,
        spans=spans,
        model=model,
        streamed=streamed is True,
        wants_usage=isinstance(options, dict) and options.get("include_usage") is True,
        most_tokens=most,
        has_tools=bool(fields.get("tools")),
        is_title=most is not None and most <= TITLE_TOKENS and _asks_for_title(messages),
        prompt=fields.get("prompt"),
        suffix=fields.get("suffix"),
        in_background=fields.get("background") not in (None, False),
    )


def provider_body(
    request: Request, upstream_model: str, stream_usage: str, most_stops: int = 0
) -> bytes:
    """Return the body for the provider: its own model name, and usage asked for in streams.

    `stream_usage` is the provider's flag: on_request, always, reject_option or none. More stop
    texts than `most_stops` are left out; 0 is no limit.
    """
    body, spans = request.body, request.spans
    model = orjson.dumps(upstream_model)
    changes: list[tuple[Span, bytes]] = []
    options = spans.get("stream_options")
    if stream_usage == "reject_option" and options is not None:
        changes.append((member_span(body, options), b""))
    elif stream_usage == "on_request" and request.streamed and not request.wants_usage:
        if options is None:
            model += b',"stream_options":{"include_usage":true}'
        else:
            asked = orjson.loads(body[slice(*options)]) or {}
            changes.append((options, orjson.dumps(asked | {"include_usage": True})))
    changes.append((spans["model"], model))
    if most_stops:
        changes += _fewer_stops(request, most_stops)
    return splice(body, changes)


def hides_usage(request: Request, stream_usage: str) -> bool:
    """Tell whether an event that only states the usage is to be taken out of the stream."""
    return not request.wants_usage and stream_usage in ("on_request", "always")


def _fewer_stops(request: Request, most: int) -> list[tuple[Span, bytes]]:
    changes: list[tuple[Span, bytes]] = []
    for name in STOPS:
        if (span := request.spans.get(name)) is not None:
            stops = orjson.loads(request.body[slice(*span)])
            if isinstance(stops, list) and len(stops) > most:
                changes.append((span, orjson.dumps(stops[:most])))
    return changes


def task_of(told: str, endpoint: str, has_tools: bool) -> str:
    """Return the task: the one the client told, else the one the endpoint suggests."""
    if told:
        return told
    match endpoint:
        case "completions" | "fim/completions":
            return "autocomplete"
        case "embeddings":
            return "embed"
        case "rerank":
            return "rerank"
        case "messages/count_tokens":
            return "other"
        case _:
            return "agent" if has_tools else "chat"


def is_rateable(
    *, outcome: str, task: str, endpoint: str, is_title: bool, finish_reason: str
) -> bool:
    """Tell whether somebody can have an opinion of this call: a finished chat, edit or agent turn.

    A call that ends in tool calls is a step of a turn; the turn's last call can be rated.
    """
    return (
        outcome == "ok"
        and task in TURN_TASKS
        and endpoint not in NEVER_A_TURN
        and not is_title
        and finish_reason not in UNFINISHED_TURN
    )


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _as_count(value: Any) -> int | None:
    """Return a number of one or more, which some clients write as 1e4, else None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if _is_count(value) else None


def _asks_for_title(messages: Any) -> bool:
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return False
    content = messages[-1].get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = " ".join(part for part in parts if isinstance(part, str))
    return isinstance(content, str) and TITLE_PROMPT in content
