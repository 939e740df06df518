"""The ids by which developers name a call: ours from a header, or the one in the answer. Pure."""

import re
from typing import Final
from uuid import UUID

# Canonical text of the x-request-id header, or the completion id: a prefix and the same id in hex.
_FORMS: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:chatcmpl-|cmpl-)?[0-9a-f]{32}"
)


def call_id_of(text: str) -> UUID | None:
    """Return the call that a request id or completion id names; None for any other text."""
    text = text.lower()
    if not _FORMS.fullmatch(text):
        return None
    return UUID(text.removeprefix("chatcmpl-").removeprefix("cmpl-"))
