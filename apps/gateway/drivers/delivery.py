"""What is sent to a candidate's provider for a call: as it came, or rendered where it must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.gateway.access import KeyRefusal, Target
from apps.gateway.drivers import fim
from apps.gateway.drivers.ways import TEXT, way_of
from apps.gateway.drivers.wires import WIRES
from apps.gateway.request import NotAcceptable, Request, hides_usage, provider_body

# Such a response goes on after its call has ended, and nothing tells what it came to.
IN_BACKGROUND: Final = (
    "PilotDash cannot measure what is answered in the background. "
    "Leave out the field 'background', or set it to false."
)


@dataclass(slots=True)
class Delivery:
    """One attempt's path and body, and what has to be known to pass its answer on."""

    path: str
    body: bytes
    hides_usage: bool
    is_chat_of_text: bool


def require_way(endpoint: str, request: Request, target: Target, key_id: int) -> None:
    """Raise Refusal where a target cannot answer a request, or nobody may."""
    if endpoint == "responses" and request.in_background:
        raise _invalid(key_id, IN_BACKGROUND, "background")
    way = way_of(endpoint, request, target.candidate, target.provider)
    if way is None:
        what = "fill in a text before a 'suffix'" if endpoint == TEXT and request.suffix else ""
        what = what or f"answer at /v1/{endpoint}"
        message = f"The model {target.alias!r} cannot {what}: its provider does not serve that."
        refusal = KeyRefusal(key_id, 404, "unknown_path", message)
        refusal.code = "endpoint_not_served"
        raise refusal
    if way.is_rendered:
        try:
            fim.check(request)
        except NotAcceptable as error:
            raise _invalid(key_id, str(error), error.param) from None


def _invalid(key_id: int, message: str, param: str) -> KeyRefusal:
    refusal = KeyRefusal(key_id, 400, "malformed", message)
    refusal.code, refusal.param = "invalid_value", param
    return refusal


def delivery_of(endpoint: str, request: Request, target: Target) -> Delivery:
    """Return what is sent to a target that can answer: see require_way()."""
    candidate, provider = target.candidate, target.provider
    way = way_of(endpoint, request, candidate, provider)
    assert way is not None, "the target cannot answer"
    if way.is_rendered:
        request = fim.rendered(request, candidate)
    elif way.drops_suffix:
        request = fim.without_suffix(request)
    usage = provider.stream_usage if WIRES[endpoint].has_usage_option else "none"
    body = provider_body(request, candidate.upstream_model, usage, provider.most_stops)
    return Delivery(way.path, body, hides_usage(request, usage), way.is_chat_of_text)
