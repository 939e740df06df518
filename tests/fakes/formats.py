"""What servers answer in formats that are not OpenAI's chats: whole, and as a stream's events."""

import json

NAMES = ("rerank", "responses", "messages", "messages/count_tokens")
# Nine tokens of prompt, four of them cached: in OpenAI's counts inside, in Anthropic's beside.
RESPONSE_USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 12,
}
MESSAGE_USAGE = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 4,
    "output_tokens": 3,
}


def format_of(path: str) -> str:
    """Return the endpoint of a path if its format is one of this module's, else an empty text."""
    name = path.rpartition("/v1/")[2]
    return name if name in NAMES else ""


def plain(kind: str, script, model: str, inputs: int = 1) -> bytes:
    """Return a whole answer as the bytes on the wire."""
    return json.dumps(_whole(kind, script, model, inputs), ensure_ascii=False).encode()


def events(kind: str, script, model: str) -> list[bytes]:
    """Return a stream's events."""
    made = _message_events(script, model) if kind == "messages" else _response_events(script, model)
    return [
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        for event in made
    ]


def _whole(kind: str, script, model: str, inputs: int) -> dict:
    text = "".join(script.words)
    match kind:
        case "rerank":
            rows = [{"index": n, "relevance_score": 0.9 - n / 10} for n in range(inputs)]
            usage = {"total_tokens": 9}
            return {"id": "rr-1", "model": model, "results": rows, "data": rows, "usage": usage}
        case "messages/count_tokens":
            return {"input_tokens": 9}
        case "messages":
            content = [{"type": "text", "text": text}]
            return _message(model) | {
                "content": content,
                "stop_reason": "end_turn",
                "usage": MESSAGE_USAGE,
            }
        case _:
            output = [_item(text)]
            return _response(model, "completed") | {"output": output, "usage": RESPONSE_USAGE}


def _message(model: str) -> dict:
    return {
        "id": "msg_theirs",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": MESSAGE_USAGE | {"output_tokens": 1},
    }


def _message_events(script, model: str) -> list[dict]:
    block = "content_block"
    made = [
        {"type": "message_start", "message": _message(model)},
        {"type": f"{block}_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    for number, word in enumerate(script.words):
        if number == script.error_at:
            error = {"type": "overloaded_error", "message": "the model ran away"}
            made.append({"type": "error", "error": error})
        delta = {"type": "text_delta", "text": word}
        made.append({"type": f"{block}_delta", "index": 0, "delta": delta})
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    return [
        *made,
        {"type": f"{block}_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]


def _response(model: str, status: str) -> dict:
    return {
        "id": "resp_theirs",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None,
    }


def _item(text: str) -> dict:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {
        "id": "msg_theirs",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def _response_events(script, model: str) -> list[dict]:
    at = {"item_id": "msg_theirs", "output_index": 0, "content_index": 0}
    text = "".join(script.words)
    item = _item(text)
    started = {"output_index": 0, "item": item | {"content": [], "status": "in_progress"}}
    empty = {"part": {"type": "output_text", "text": "", "annotations": []}}
    made: list[dict] = [
        {"type": "response.created", "response": _response(model, "in_progress")},
        {"type": "response.in_progress", "response": _response(model, "in_progress")},
        {"type": "response.output_item.added"} | started,
        {"type": "response.content_part.added"} | at | empty,
    ]
    for number, word in enumerate(script.words):
        if number == script.error_at:
            error = {"code": "server_error", "message": "the model ran away", "param": None}
            made.append({"type": "error"} | error)
        made.append({"type": "response.output_text.delta", "delta": word, "logprobs": []} | at)
    made += [
        {"type": "response.output_text.done", "text": text, "logprobs": []} | at,
        {"type": "response.content_part.done", "part": item["content"][0]} | at,
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": _whole("responses", script, model, 1)},
    ]
    return [event | {"sequence_number": number} for number, event in enumerate(made)]
