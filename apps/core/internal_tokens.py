"""Tokens by which our own processes call the gateway in somebody's name, for one candidate.

A token is `pdi_`, what it grants as JSON in base64url, a dot, and the HMAC of all before the dot.
Its key is derived from SECRET_KEY, so that nothing has to be stored or handed round.
"""

import base64
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

TOKEN_PREFIX: Final = "pdi_"
_LABEL: Final = b"pilotdash internal tokens 1"
# Longer texts are none of ours; this bounds what is hashed for a stranger.
_LONGEST: Final = 1_024
_NUMBERS: Final = ("pilot_id", "person_id", "candidate_id", "expires_at")
_TEXTS: Final = ("task", "alias")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a token grants: one person's calls to one candidate of a pilot, until it expires.

    The calls are recorded with `task` and `alias`.
    """

    pilot_id: int
    person_id: int
    candidate_id: int
    task: str
    alias: str
    expires_at: datetime


def derive_key(secret_key: str) -> bytes:
    """Return the key of tokens. It serves nothing else, and tells nothing of SECRET_KEY."""
    return hmac.digest(secret_key.encode(), _LABEL, "sha256")


def make_token(
    key: bytes,
    *,
    pilot_id: int,
    person_id: int,
    candidate_id: int,
    task: str,
    alias: str,
    expires_at: datetime,
) -> str:
    """Return a token. It holds to the second in which `expires_at` lies, and not longer."""
    granted = {
        "pilot_id": pilot_id,
        "person_id": person_id,
        "candidate_id": candidate_id,
        "task": task,
        "alias": alias,
        "expires_at": int(expires_at.timestamp()),
    }
    payload = json.dumps(granted, separators=(",", ":")).encode()
    signed = TOKEN_PREFIX + _text(payload)
    return f"{signed}.{_signature(key, signed)}"


def read_token(key: bytes, text: str, *, now: datetime) -> Ticket | None:
    """Return what a token grants; None for one that is forged, cut off or expired."""
    signed, dot, signature = text.partition(".")
    if not (dot and text.startswith(TOKEN_PREFIX) and text.isascii() and len(text) <= _LONGEST):
        return None
    if not hmac.compare_digest(_signature(key, signed), signature):
        return None
    # From here on it is as make_token() of some release has written it.
    payload = signed.removeprefix(TOKEN_PREFIX)
    try:
        granted = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        numbers = {name: int(granted[name]) for name in _NUMBERS}
        texts = {name: str(granted[name]) for name in _TEXTS}
        expires_at = datetime.fromtimestamp(numbers.pop("expires_at"), UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    if now >= expires_at:
        return None
    return Ticket(
        pilot_id=numbers["pilot_id"],
        person_id=numbers["person_id"],
        candidate_id=numbers["candidate_id"],
        task=texts["task"],
        alias=texts["alias"],
        expires_at=expires_at,
    )


def _signature(key: bytes, signed: str) -> str:
    return _text(hmac.digest(key, signed.encode(), "sha256"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
