"""Fill in the middle: what stands before and after the gap, for providers that take one prompt.

The request follows Mistral's /fim/completions, whose answers are shaped like a chat's; `suffix` on
/completions asks for the same, and its answers stay texts.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import orjson

from apps.gateway.contract import CandidateRoute
from apps.gateway.request import NotAcceptable, Request
from apps.gateway.scanner import Span, member_span, splice, top_level
from apps.gateway.usage_tap import Json

_PLACES: Final = re.compile(r"\{(prefix|suffix)\}")


def check(request: Request) -> None:
    """Raise NotAcceptable where a request cannot be rendered."""
    _texts_around(request)
    _stops_in(request)


def rendered(request: Request, candidate: CandidateRoute) -> Request:
    """Return the request with one prompt in the candidate's own template, and with its stops.

    Every other byte stays. Raises NotAcceptable.
    """
    prefix, suffix = _texts_around(request)
    body, spans = request.body, request.spans
    prompt = orjson.dumps(fill(candidate.fim_template, prefix, suffix))
    changes: list[tuple[Span, bytes]] = []
    if candidate.fim_stops:
        stops = orjson.dumps(list(dict.fromkeys([*candidate.fim_stops, *_stops_in(request)])))
        if (asked := spans.get("stop")) is None:
            prompt += b',"stop":' + stops
        else:
            changes.append((asked, stops))
    changes.append((spans["prompt"], prompt))
    if (after := spans.get("suffix")) is not None:
        changes.append((member_span(body, after), b""))
    body = splice(body, changes)
    return replace(request, body=body, spans=top_level(body))


def without_suffix(request: Request) -> Request:
    """Return a request that has a suffix without it. Every other byte stays."""
    body = request.body
    body = splice(body, [(member_span(body, request.spans["suffix"]), b"")])
    return replace(request, body=body, spans=top_level(body))


def fill(template: str, prefix: str, suffix: str) -> str:
    """Return a template with its places taken; what is put in is not looked at again."""
    texts = {"prefix": prefix, "suffix": suffix}
    return _PLACES.sub(lambda place: texts.pop(place[1], place[0]), template)


def _texts_around(request: Request) -> tuple[str, str]:
    """Return what stands before and after the gap."""
    if not isinstance(request.prompt, str):
        raise NotAcceptable("The field 'prompt' must be the text before the gap.", "prompt")
    if not isinstance(request.suffix, str | None):
        raise NotAcceptable("The field 'suffix' must be the text after the gap.", "suffix")
    return request.prompt, request.suffix or ""


def _stops_in(request: Request) -> list[str]:
    span = request.spans.get("stop")
    stops = orjson.loads(request.body[slice(*span)]) if span is not None else None
    stops = [stops] if isinstance(stops, str) else stops or []
    if not (isinstance(stops, list) and all(isinstance(stop, str) for stop in stops)):
        raise NotAcceptable("The field 'stop' must be a text or a list of texts.", "stop")
    return stops


def as_chat(answer: Json, *, is_event: bool) -> Json:
    """Return a text completion, whole or one event of it, in the shape of a chat's."""
    choices = answer.get("choices")
    if not isinstance(choices, list):
        return answer
    kind = "chat.completion.chunk" if is_event else "chat.completion"
    turns = [_turn(choice, is_event) for choice in choices if isinstance(choice, dict)]
    return answer | {"object": kind, "choices": turns}


def _turn(choice: Json, is_event: bool) -> Json:
    text = choice.get("text")
    # Logarithms of probabilities have another shape in a chat.
    rest = {name: one for name, one in choice.items() if name not in ("text", "logprobs")}
    if "finish_reason" in rest:
        rest["finish_reason"] = rest["finish_reason"] or None  # some put an empty text there
    if is_event:
        return rest | {"delta": {"content": text}}
    return rest | {"message": {"role": "assistant", "content": text}}
