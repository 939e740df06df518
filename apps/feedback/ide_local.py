"""Calls of models on the developer's own machine, as their editor tells of them.

They are kept beside the gateway's calls and in none of their sums: nobody saw them but the editor,
which estimates their tokens, and they cost the pilot nothing.
"""

from hashlib import sha256

from apps.core.uuid7 import compose
from apps.feedback.models import IdeEvent
from apps.gateway.contract import CallRecord

CLIENT = "continue"


def local_call(event: IdeEvent, *, provider_id: int) -> CallRecord:
    """Return the call of an event with tokens and a candidate: the same one for the same event."""
    assert event.candidate_id is not None
    at = event.at.replace(microsecond=event.at.microsecond // 1000 * 1000)
    millis = int(at.timestamp()) * 1000 + at.microsecond // 1000
    lot = int.from_bytes(sha256(f"{event.person_id}:{event.digest}".encode()).digest())
    return CallRecord(
        id=str(compose(millis, lot & 0xFFF, lot >> 12 & (1 << 62) - 1)),
        admitted_at=at,
        pilot_id=event.pilot_id,
        person_id=event.person_id,
        key_id=event.key_id,
        candidate_id=event.candidate_id,
        provider_id=provider_id,
        alias=event.alias,
        # Which of its model's endpoints it asked, the editor does not tell.
        endpoint="chat/completions",
        task="other",
        outcome="ok",
        source="ide",
        prompt_tokens=event.prompt_tokens,
        completion_tokens=event.generated_tokens,
        usage_source="estimated",
        client=CLIENT,
    )
