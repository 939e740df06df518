"""The heads of requests, as bytes. What could end a line early is refused, never repaired."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from apps.gateway.connections import UpstreamFailure
from apps.gateway.http1 import Origin

USER_AGENT: Final = "PilotDash/0.1"
# Said by whoever frames the message, so that nobody's copy can contradict it.
FRAMING: Final = frozenset(("connection", "content-length", "transfer-encoding"))
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET: Final = re.compile(r"/[!-\xff]*")
_LINES: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)*")


def request_line(method: str, target: str, via_proxy_to: Origin | None = None) -> bytes:
    """Return the first line; a proxy is told the whole address. Raises UpstreamFailure."""
    if not _METHOD.fullmatch(method) or not _TARGET.fullmatch(target):
        raise UpstreamFailure("request", "The method or the path holds what no request may hold.")
    where = f"http://{authority(via_proxy_to)}" if via_proxy_to is not None else ""
    return f"{method} {where}{target} HTTP/1.1\r\n".encode("latin-1")


def lines(headers: Iterable[tuple[str, str]], without: Collection[str] = FRAMING) -> bytes:
    """Return header lines, but for some names in lower case. Raises UpstreamFailure."""
    made = [f"{name}: {value}\r\n" for name, value in headers if name.lower() not in without]
    try:
        data = "".join(made).encode("latin-1")
    except UnicodeEncodeError:
        data = b"\0"
    # The pattern alone would take a line break in a value for the beginning of another header.
    if data.count(b"\n") != len(made) or not _LINES.fullmatch(data):
        raise UpstreamFailure("request", "A header holds what no header may hold.")
    return data


def authority(origin: Origin) -> str:
    """Return a server's name as a Host header has it."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    is_usual = origin.port == (443 if origin.scheme == "https" else 80)
    return host if is_usual else f"{host}:{origin.port}"
