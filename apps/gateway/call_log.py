"""One line of JSON for each call and each refusal of a known key: who, where, how long, how much.

Never a key, a prompt, an answer, a person's name or a provider's words. A reader that does not
take the lines loses them; it never holds up a call.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from apps.gateway.call import Call
    from apps.gateway.contract import CallRecord, KeyRoute
    from apps.gateway.errors import Refusal

WRITE_SECONDS: Final = 0.1
STOP_SECONDS: Final = 1.0
MOST_WAITING: Final = 10_000
# A pipe takes so much in one piece, so that lines of several workers do not mix.
PIECE: Final = 4_096
STATUS: Final = "provider status "
# The words of ours for what went wrong; anything else may be a sentence of the provider's.
ERRORS: Final = frozenset(
    (
        "",
        "address",
        "broken",
        "connect",
        "credential",
        "dead_connection",
        "first_byte",
        "gateway stopped",
        "internal",
        "resting",
        "silence",
        "size",
        "tls",
        "unreadable",
        "whole",
    )
)
REPORTED: Final = "reported"


class CallLog:
    """Takes lines at once and writes them to a file descriptor ten times a second.

    The writer is a thread of its own, which may be stuck for as long as nobody reads.
    """

    def __init__(self, file: int, *, most_waiting: int = MOST_WAITING) -> None:
        self._file = file
        self._waiting: deque[bytes] = deque()
        self._most_waiting = most_waiting
        self._is_over = threading.Event()
        self._writer = threading.Thread(target=self._write_for_ever, name="call-log", daemon=True)
        self._writer.start()
        self.dropped = 0

    def add(self, line: bytes) -> None:
        """Take a line without its end. It is dropped and counted where too many wait already."""
        if len(self._waiting) < self._most_waiting:
            self._waiting.append(line)
        else:
            self.dropped += 1

    def take_dropped(self) -> int:
        """Return how many lines were dropped since the last time."""
        dropped, self.dropped = self.dropped, 0
        return dropped

    def close(self) -> None:
        """Write what waits, for a second at most."""
        self._is_over.set()
        self._writer.join(STOP_SECONDS)

    def _write_for_ever(self) -> None:
        while not self._is_over.wait(WRITE_SECONDS):
            self._write_waiting()
        self._write_waiting()

    def _write_waiting(self) -> None:
        while self._waiting:
            piece = b""
            taken = 0
            while self._waiting and (not piece or len(piece) + len(self._waiting[0]) < PIECE):
                piece += self._waiting.popleft() + b"\n"
                taken += 1
            try:
                _write_whole(self._file, piece)
            except OSError:  # the reader is gone, or the disk is full
                self.dropped += taken


def _write_whole(file: int, piece: bytes) -> None:
    """Raises OSError. A descriptor that is set not to block is waited for as any other."""
    while piece:
        try:
            piece = piece[os.write(file, piece) :]
        except BlockingIOError:
            time.sleep(WRITE_SECONDS)


def line_of_call(call: Call, record: CallRecord) -> bytes:
    caller, target = call.caller, call.target
    return orjson.dumps(
        {
            "at": record.admitted_at,
            "event": "call",
            "id": record.id,
            "pilot": caller.pilot.slug,
            "person": record.person_id,
            "key": record.key_id,
            "alias": record.alias,
            "candidate": target.candidate.slug,
            "assigned": record.assigned_candidate_id,
            "provider": target.provider.slug,
            "endpoint": record.endpoint,
            "task": record.task,
            "streamed": record.streamed,
            "outcome": record.outcome,
            "status": record.status,
            "error": word_for(record.error),
            "attempts": [
                {
                    "candidate": one.candidate_id,
                    "status": one.status,
                    "error": word_for(one.error),
                    "started_ms": one.started_ms,
                    "ended_ms": one.ended_ms,
                }
                for one in record.attempts
            ],
            "first_byte_ms": record.first_byte_ms,
            "first_content_ms": record.first_content_ms,
            "total_ms": record.total_ms,
            "overhead_us": record.overhead_us,
            "prompt_tokens": record.prompt_tokens,
            "cached_tokens": record.cached_tokens,
            "completion_tokens": record.completion_tokens,
            "usage": record.usage_source,
            "finish_reason": printable(record.finish_reason),
            "tool_calls": record.tool_calls,
            "request_bytes": record.request_bytes,
            "response_bytes": record.response_bytes,
            "client_request_id": record.client_request_id,
            "client_retry": record.client_retry,
            "trace": call.told.trace_id,
        }
    )


def line_of_refusal(refusal: Refusal, key: KeyRoute, pilot: str, trace_id: str) -> bytes:
    """What was asked for stays out of it: until it is let through, all of that is the client's."""
    return orjson.dumps(
        {
            "at": datetime.now(UTC),
            "event": "refusal",
            "pilot": pilot,
            "person": key.person_id,
            "key": key.id,
            "reason": refusal.reason,
            "status": refusal.status,
            "trace": trace_id,
        }
    )


def word_for(error: str) -> str:
    """Return one of our own words for an error as it stands in a record."""
    if error in ERRORS or (error.startswith(STATUS) and error[len(STATUS) :].isdigit()):
        return error
    return REPORTED


def printable(text: str) -> str:
    return "".join([char if " " < char <= "~" else "?" for char in text[:32]]) if text else ""
