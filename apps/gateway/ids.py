"""The headers by which an answer or a refusal can be found again."""

from __future__ import annotations

from apps.gateway.asgi import Headers


def id_headers(ours: str, theirs: str, *, is_anthropic: bool) -> Headers:
    """Return our id as `x-request-id`, and the client's own, if it sent one, beside it.

    Anthropic's packages look for theirs under another name.
    """
    headers: Headers = [(b"x-request-id", ours.encode())]
    if is_anthropic:
        headers.append((b"request-id", ours.encode()))
    if theirs:
        headers.append((b"x-client-request-id", theirs.encode("latin-1")))
    return headers
