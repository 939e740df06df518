"""Errors in OpenAI's shape, because every client on this path can read that one."""

from __future__ import annotations

from typing import Any, Final, Self

import orjson

# Why a request was not let through. Refusals are counted under these names, never stored as calls.
REASONS: Final = (
    "bad_key",
    "expired_key",
    "wrong_kind_of_key",
    "pilot_not_open",
    "unknown_path",
    "unknown_model",
    "paused_model",
    "provider_resting",
    "malformed",
    "too_large",
    "too_slow",
    "too_many_at_once",
    "too_many_requests",
    "too_many_tokens",
    "money_spent",
    "money_held",
    "money_unknown",
    "not_countable",
    "overloaded",
    "not_recordable",
    "no_routes",
)


# Statuses that say "not now", and how many seconds to wait where nobody knows better.
FOR_NOW: Final = {429: 5, 503: 5}


class Refusal(Exception):
    """A request that is not let through to a provider. `reason` is one of REASONS."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.code = code or reason
        self.param = param
        self.retry_after = FOR_NOW.get(status) if retry_after is None else retry_after
        self.headers: list[tuple[bytes, bytes]] = []

    def with_headers(self, headers: list[tuple[bytes, bytes]]) -> Self:
        self.headers += headers
        return self

    def body(self) -> bytes:
        return error_body(self.message, self.status, code=self.code, param=self.param)


def error_body(
    message: str, status: int, *, code: str | None = None, param: str | None = None
) -> bytes:
    """Return `{"error": {…}}` with the type that goes with the HTTP status."""
    error: dict[str, Any] = {
        "message": message,
        "type": error_type(status),
        "code": code,
        "param": param,
    }
    return orjson.dumps({"error": error})


def error_event(message: str, status: int, *, code: str) -> bytes:
    """Return an error as one event of a stream whose head has already gone out."""
    return b"data: " + error_body(message, status, code=code) + b"\n\n"


def named_error_event(message: str, status: int, *, code: str) -> bytes:
    """Like error_event(), for clients that read the names of events: Anthropic's and responses'."""
    stated = {"type": "error", "code": code, "message": message, "param": None}
    error = {"message": message, "type": error_type(status), "code": code, "param": None}
    return b"event: error\ndata: " + orjson.dumps(stated | {"error": error}) + b"\n\n"


def as_anthropic(body: bytes) -> bytes:
    """Return an error in OpenAI's shape with the one word that Anthropic's clients look for."""
    said = orjson.loads(body)
    if said.get("type") == "error":
        return body
    if "type" in said:
        return orjson.dumps({"type": "error", "error": said["error"]})
    return b'{"type":"error",' + body.lstrip()[1:]


def error_type(status: int) -> str:
    match status:
        case 401:
            return "authentication_error"
        case 403:
            return "permission_error"
        case 404 | 410:
            return "not_found_error"
        case 429:
            return "rate_limit_error"
        case _ if status < 500:
            return "invalid_request_error"
        case _:
            return "api_error"


def message_in(answer: object) -> str:
    """Return the sentence in a provider's error, whichever shape it has, or an empty text."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        parts = [message_in(part) for part in answer]
        return "; ".join(part for part in parts if part)
    if isinstance(answer, dict):
        for name in ("error", "message", "detail", "msg"):
            if text := message_in(answer.get(name)):
                return text
    return ""


def is_openai_error(answer: object) -> bool:
    error = answer.get("error") if isinstance(answer, dict) else None
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def leaks(secret: str, raw: bytes, parsed: object = None) -> bool:
    """Tell whether a provider's words hold the secret, as they are or behind escapes."""
    if not secret:
        return False
    try:
        unescaped = orjson.dumps(parsed)
    except TypeError:  # nested too deeply to look: then nobody sees it
        return True
    return secret.encode() in raw or orjson.dumps(secret)[1:-1] in unescaped
