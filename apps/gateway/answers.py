"""What the developer gets of what the provider sent: allowed headers, errors in one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from multidict import CIMultiDict

from apps.gateway.asgi import Headers
from apps.gateway.errors import error_body, is_openai_error, leaks, message_in
from apps.gateway.trace import trace_context
from apps.gateway.upstream import UpstreamFailure
from apps.gateway.waits import seconds_in

ERROR_LIMIT: Final = 1 << 20
MOST_WORDS: Final = 2_000
PASSED_BACK: Final = ("cache-control", "openai-processing-ms", "retry-after")
# What Anthropic's clients say of the format, and the version that is meant where they do not.
ANTHROPIC_ENDPOINTS: Final = ("messages", "messages/count_tokens")
ANTHROPIC_HEADERS: Final = {
    b"anthropic-version": "anthropic-version",
    b"anthropic-beta": "anthropic-beta",
}
ANTHROPIC_VERSION: Final = "2023-06-01"
REQUEST_IDS: Final = ("x-request-id", "request-id", "apim-request-id", "x-generation-id")
# What these say is between us and the provider; the developer can do nothing about it.
OUR_FAULT: Final = (401, 402, 403, 407)
STARTING: Final = (
    "The model is not ready: its provider is starting it, or has no room for it right now. "
    "Please try again in a moment."
)


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call failed: what is recorded, and what the developer is told."""

    outcome: str
    status: int
    code: str
    message: str
    error: str

    def body(self) -> bytes:
        return error_body(self.message, self.status, code=self.code)


def passed_on(headers: Mapping[bytes, bytes], call_id: str, endpoint: str = "") -> dict[str, str]:
    """Return the headers for the provider. The developer's key is not among them."""
    out = {"Content-Type": "application/json", "X-Request-Id": call_id}
    if (accept := headers.get(b"accept")) is not None:
        out["Accept"] = accept.decode("latin-1")
    if b"traceparent" in headers:
        out |= trace_context(headers)
    if endpoint in ANTHROPIC_ENDPOINTS:
        out["anthropic-version"] = ANTHROPIC_VERSION
        for name, spelled in ANTHROPIC_HEADERS.items():
            if (value := headers.get(name)) is not None:
                out[spelled] = value.decode("latin-1")
    return out


def without_secret(headers: Mapping[str, str], secret: str) -> Mapping[str, str]:
    """Return a provider's headers, except any that repeat the credential."""
    if not secret or not any(secret in value for value in headers.values()):
        return headers
    return CIMultiDict([pair for pair in headers.items() if secret not in pair[1]])


def passed_back(headers: Mapping[str, str], *, default_type: bytes) -> Headers:
    """Return those of a provider's headers that the developer gets."""
    kind = headers.get("content-type")
    out: Headers = [(b"content-type", kind.encode("latin-1") if kind else default_type)]
    for name in PASSED_BACK:
        value = headers.get(name)
        if value is not None and (name != "retry-after" or seconds_in(headers) is not None):
            out.append((name.encode(), value.encode("latin-1")))
    return out


def request_id_in(headers: Mapping[str, str]) -> str:
    return next((headers[name][:128] for name in REQUEST_IDS if name in headers), "")


def refused_by_provider(status: int, body: bytes, secret: str) -> tuple[Failure, bytes]:
    """Return what a provider's error status becomes, and the body to send.

    An error in OpenAI's shape is relayed byte for byte, unless it is about our own credential.
    """
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if 300 <= status < 400 or status in OUR_FAULT:
        failure = Failure(
            "upstream_error",
            502,
            "provider_refused",
            f"The model's provider refused PilotDash's request with status {status}. "
            "An administrator has to look at its settings.",
            f"provider status {status}",
        )
        return failure, failure.body()
    message = message_in(parsed)[:MOST_WORDS]
    is_secret = leaks(secret, body, parsed)
    if status == 503:
        said = f"{STARTING} The provider says: {message}" if message and not is_secret else STARTING
        failure = Failure("upstream_error", 503, "model_starting", said, "provider status 503")
        return failure, failure.body()
    if not message or is_secret:
        message = f"The model's provider answered with status {status}."
    failure = Failure(
        "upstream_error", status, f"provider_{status}", message, f"provider status {status}"
    )
    return failure, body if is_openai_error(parsed) and not is_secret else failure.body()


def failed(failure: UpstreamFailure) -> Failure:
    """Return what an exchange that failed becomes."""
    if failure.is_timeout:
        return Failure(
            "upstream_timeout",
            504,
            "provider_timeout",
            "The model's provider did not answer in time. Please try again.",
            failure.kind,
        )
    return Failure(
        "upstream_error",
        502,
        "provider_unreachable",
        "The model's provider cannot be reached. Please try again later.",
        failure.kind,
    )


UNREADABLE: Final = Failure(
    "upstream_error",
    502,
    "provider_unreadable",
    "The model's provider sent an answer that cannot be read.",
    "unreadable",
)
INTERNAL: Final = Failure(
    "upstream_error",
    500,
    "internal_error",
    "PilotDash failed while handling this call. It has been recorded.",
    "internal",
)
STREAM_HEADERS: Final[Headers] = [(b"x-accel-buffering", b"no")]
