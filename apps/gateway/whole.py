"""A whole answer, as opposed to a stream: put our names in, or find that it is an error."""

from __future__ import annotations

import orjson

from apps.gateway.answers import UNREADABLE, Failure
from apps.gateway.call import Call
from apps.gateway.drivers.delivery import Delivery
from apps.gateway.drivers.fim import as_chat
from apps.gateway.errors import leaks
from apps.gateway.estimate import Calibration
from apps.gateway.lenient import read_json
from apps.gateway.reply import shape_of
from apps.gateway.rewrite import NAMED, NOT_REPEATED, Names, reported_in
from apps.gateway.scanner import Malformed, splice, top_level


def read_answer(
    call: Call, delivery: Delivery, calibration: Calibration, body: bytes, secret: str
) -> bytes | Failure:
    """Return an answer under our names and count what is in it, or return what is wrong with it."""
    try:
        answered = read_json(body)
    except Malformed:
        return UNREADABLE
    if not isinstance(answered, dict):
        return UNREADABLE
    if (sentence := reported_in(answered, body, secret, call.wire)) is not None:
        return Failure("upstream_error", 502, "upstream_error", sentence, sentence)
    if call.wire.marks.isdisjoint(answered) and leaks(secret, body, answered):
        return Failure("upstream_error", 502, "upstream_error", NOT_REPEATED, NOT_REPEATED)
    call.tap.see(answered)
    if call.is_blind:
        return orjson.dumps(shape_of(call, delivery, calibration).answer(answered))
    names = Names(call.completion_id, call.target.alias)
    if delivery.is_chat_of_text:
        return orjson.dumps(names.put_in(as_chat(answered, is_event=False)))
    try:
        return splice(body, names.changes(body, top_level(body, until=NAMED)))
    except ValueError:  # repeated keys, absurd nesting: JSON all the same, so it is relayed
        return body
