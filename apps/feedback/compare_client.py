"""Asks the gateway for one candidate's answer, as a developer's tool would. No database here.

The whole answer is waited for, so that nobody learns who writes faster.
"""

import json
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from socket import socket
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

CONNECT_SECONDS: Final = 5.0
# An answer is cut here, on every side alike.
MOST_TOKENS: Final = 2_048
_MOST_CHARACTERS: Final = 200_000
_MOST_LINE: Final = 8 << 20
_MOST_ERROR: Final = 64 << 10

# Why an answer did not come, in a word that may be stored.
MONEY, LIMIT, CLOSED, REFUSED = "money", "limit", "closed", "refused"
LATE, FAILED, EMPTY, UNREACHABLE = "late", "failed", "empty", "unreachable"


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a question. Times are ms since it was sent; `problem` is empty or a word."""

    text: str = ""
    call_id: UUID | None = None
    first_content_ms: int | None = None
    total_ms: int | None = None
    problem: str = ""


def ask(
    *, url: str, token: str, prompt: str, candidate: str, seconds: float, ca_file: str = ""
) -> Reply:
    """Return the answer of the candidate (its slug) that the token names, within `seconds`.

    Never raises: what goes wrong on the way is a problem of the reply.
    """
    question = _Question(prompt, candidate, seconds)
    try:
        with closing(_connection(url, ca_file)) as connection:
            problem = question.put(connection, urlsplit(url).path + "/v1/chat/completions", token)
    except TimeoutError:
        problem = LATE if time.monotonic() >= question.end else UNREACHABLE
    except (OSError, HTTPException):
        problem = FAILED if question.call_id else UNREACHABLE
    return question.reply(problem)


class _Question:
    def __init__(self, prompt: str, candidate: str, seconds: float) -> None:
        self.prompt = prompt
        self.candidate = candidate
        self.begun = time.monotonic()
        self.end = self.begun + seconds
        self.call_id: UUID | None = None
        self.first_content_ms: int | None = None
        self.pieces: list[str] = []
        self.length = 0
        self.is_whole = False

    def reply(self, problem: str) -> Reply:
        text = "".join(self.pieces)
        if not problem and not text.strip():
            problem = EMPTY
        return Reply(
            text="" if problem else text,
            call_id=self.call_id,
            first_content_ms=self.first_content_ms,
            total_ms=self._elapsed_ms(),
            problem=problem,
        )

    def put(self, connection: HTTPConnection, path: str, token: str) -> str:
        """Send it and read what comes; return the problem, if any."""
        body = {
            "model": "compare",
            "messages": [{"role": "user", "content": self.prompt}],
            "max_tokens": MOST_TOKENS,
            "stream": True,
        }
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection.connect()
        # Kept: the connection lets go of it with its last answer, which is still to be read.
        line_out = connection.sock
        self._wait_at_most(line_out)
        connection.request("POST", path, json.dumps(body).encode(), headers)
        response = connection.getresponse()
        self.call_id = _uuid(response.headers.get("x-request-id", ""))
        if response.status != 200:
            return _problem_of(response)
        # Somebody else in its place would be compared under its name.
        if response.headers.get("x-pilotdash-candidate", self.candidate) != self.candidate:
            return FAILED
        while not self.is_whole:
            self._wait_at_most(line_out)
            line = response.readline(_MOST_LINE)
            if not line or not self._read(line):
                return FAILED
        return ""

    def _wait_at_most(self, line_out: socket) -> None:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        line_out.settimeout(left)

    def _read(self, line: bytes) -> bool:
        """Take one line of the stream; False when it says that something went wrong."""
        data = line.strip()
        if not data.startswith(b"data:"):
            return True
        data = data[5:].strip()
        if data == b"[DONE]":
            self.is_whole = True
            return True
        try:
            event = json.loads(data)
        except ValueError:
            return False
        if not isinstance(event, dict) or "error" in event:
            return False
        if piece := _content(event):
            if self.first_content_ms is None:
                self.first_content_ms = self._elapsed_ms()
            self.pieces.append(piece)
            self.length += len(piece)
            self.is_whole = self.length > _MOST_CHARACTERS
        return True

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self.begun) * 1000)


def _content(event: dict[str, Any]) -> str:
    for choice in event.get("choices") or ():
        piece = (choice.get("delta") or {}).get("content")
        if isinstance(piece, str):
            return piece
    return ""


def _problem_of(response: HTTPResponse) -> str:
    try:
        code = json.loads(response.read(_MOST_ERROR))["error"]["code"]
    except (ValueError, KeyError, TypeError):
        code = ""
    if response.status == 429:
        return MONEY if code == "insufficient_quota" else LIMIT
    if response.status in (403, 410):
        return CLOSED
    return REFUSED if response.status in (400, 413, 422) else FAILED


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _connection(url: str, ca_file: str) -> HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    if parts.scheme != "https":
        return HTTPConnection(host, parts.port or 80, timeout=CONNECT_SECONDS)
    context = ssl.create_default_context()
    if _is_loopback(host):
        # We ask ourselves by address, for which no certificate is made.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    elif ca_file:
        context.load_verify_locations(ca_file)
    return HTTPSConnection(host, parts.port or 443, timeout=CONNECT_SECONDS, context=context)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
