"""How a call's answer is passed on: by which rewriter, with which headers, in whose words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import orjson

from apps.gateway.answers import Failure, passed_back
from apps.gateway.asgi import JSON, Headers
from apps.gateway.blind.mask import Mask, Shape
from apps.gateway.blind.messages import BlindMessages
from apps.gateway.blind.openai import BlindCount, BlindRanks, BlindTurns, BlindVectors
from apps.gateway.blind.responses import ASKED, BlindResponses
from apps.gateway.blind.rewriter import BlindRewriter
from apps.gateway.call import Call
from apps.gateway.drivers.delivery import Delivery
from apps.gateway.drivers.ways import TEXT
from apps.gateway.estimate import Calibration
from apps.gateway.request import Request
from apps.gateway.rewrite import Names, StreamRewriter
from apps.gateway.usage_tap import Json, Usage

EVENT_STREAM: Final = (b"content-type", b"text/event-stream; charset=utf-8")
# Others tell of the provider: 529 is said by one, 424 by another.
BLIND_STATUSES: Final = (400, 413, 429, 500, 502, 503, 504)
BLIND_WORDS: Final = {
    400: "The model refused this request. It may be too long, or ask for what the model cannot do.",
    413: "This request is too long for the model.",
    429: "The model is busy. Please try again in a moment.",
    503: "The model is not available right now. Please try again in a moment.",
    504: "The model did not answer in time. Please try again.",
}
OTHER_WORDS: Final = "The model could not answer. Please try again later."


def rewriter_of(
    call: Call, delivery: Delivery, calibration: Calibration, *, secret: str, most_event: int
) -> StreamRewriter:
    """Return what makes the stream that the developer gets of the provider's."""
    if call.is_blind:
        shape = shape_of(call, delivery, calibration)
        return BlindRewriter(shape, call.tap, secret=secret, most_event=most_event, wire=call.wire)
    return StreamRewriter(
        Names(call.completion_id, call.target.alias),
        call.tap,
        hide_usage=delivery.hides_usage,
        secret=secret,
        most_event=most_event,
        wire=call.wire,
        is_chat_of_text=delivery.is_chat_of_text,
    )


def shape_of(call: Call, delivery: Delivery, calibration: Calibration) -> Shape:
    """Return what makes an answer anew for a blind alias."""
    mask = Mask(
        hex_id=call.uuid.hex,
        alias=call.target.alias,
        created=int(call.admitted_at.timestamp()),
        counted=lambda: _counted(call, calibration),
        wants_usage=call.request.wants_usage,
    )
    match call.endpoint:
        case "messages":
            return BlindMessages(mask)
        case "responses":
            return BlindResponses(mask, _asked(call.request, ASKED))
        case "embeddings":
            return BlindVectors(mask)
        case "rerank":
            return BlindRanks(mask)
        case "messages/count_tokens":
            return BlindCount(mask)
        case endpoint:
            return BlindTurns(
                mask, is_text=endpoint == TEXT, is_chat_of_text=delivery.is_chat_of_text
            )


def _counted(call: Call, calibration: Calibration) -> Usage:
    """Return the tokens so far. Those that the provider does not state are estimated.

    The record's are estimated alike, so that who answers cannot be told by who states none.
    """
    stated = call.tap.usage() or Usage(None, None, None)
    prompt, completion = stated.prompt, stated.completion
    candidate, request = call.target.candidate.id, call.request
    if prompt is None:
        prompt = calibration.prompt_tokens(candidate, len(request.body))
    if completion is None:
        written, most = call.tap.content_bytes, request.most_tokens
        completion = calibration.completion_tokens(candidate, written, most)
    return Usage(prompt, completion, None)


def _asked(request: Request, names: tuple[str, ...]) -> Json:
    """Return the values of those top-level fields that a request has."""
    body, spans = request.body, request.spans
    return {name: orjson.loads(body[slice(*spans[name])]) for name in names if name in spans}


def headers_of(call: Call, headers: Mapping[str, str], *, is_stream: bool) -> Headers:
    """Return those of a provider's headers that the developer gets."""
    kind = EVENT_STREAM if is_stream else JSON
    return [kind] if call.is_blind else passed_back(headers, default_type=kind[1])


def in_our_words(failure: Failure) -> Failure:
    """Return a failure as the developers of a blind alias are told of it; the record stays."""
    status = failure.status
    if status not in BLIND_STATUSES:
        status = 400 if status < 500 else 502
    words = BLIND_WORDS.get(status, OTHER_WORDS)
    return replace(failure, status=status, code="model_failed", message=words)
