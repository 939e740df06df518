"""OpenTelemetry's trace context (W3C): passed on where it is well-formed, never invented.

Baggage is not passed on: what stands in it is anybody's, personal data included.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

MOST_STATE: Final = 512
MOST_MEMBERS: Final = 32
_PARENT: Final = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_MEMBER: Final = re.compile(rb"[a-z0-9][a-z0-9_\-*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
_NOBODY: Final = (b"0" * 32, b"0" * 16)


def trace_id_in(headers: Mapping[bytes, bytes]) -> str:
    """Return the trace that a request belongs to, as 32 hex digits, or an empty text."""
    value = headers.get(b"traceparent")
    if value is None:
        return ""
    found = _PARENT.fullmatch(value)
    if found is None or found[1] == _NOBODY[0] or found[2] == _NOBODY[1]:
        return ""
    return found[1].decode()


def trace_context(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Return the headers that carry the trace on; none where the client's are malformed."""
    if not trace_id_in(headers):
        return {}
    context = {"traceparent": headers[b"traceparent"].decode()}
    state = headers.get(b"tracestate", b"")
    if state and _is_state(state):
        context["tracestate"] = state.decode()
    return context


def _is_state(value: bytes) -> bool:
    members = [member.strip(b" \t") for member in value.split(b",")]
    return (
        len(value) <= MOST_STATE
        and len(members) <= MOST_MEMBERS
        and all(not member or _MEMBER.fullmatch(member) for member in members)
    )
