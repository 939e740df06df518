"""The stream of call records, as one member of its reader group sees it.

An entry stays until it is acknowledged, which happens after its call is committed and not before.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis

from apps.gateway.contract import STREAM, STREAM_GROUP

BATCH: Final = 1_000
# What another reader has held for so long, it will not store any more. If it does after all, the
# database removes the duplicates.
STALE_MS: Final = 15_000
TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the stream: its id, and the bytes of the record, empty if it has none."""

    id: str
    raw: bytes


class CallStream:
    """The reader is named after the host: after a kill the next process finds what it held."""

    def __init__(self, client: "redis.Redis", reader: str | None = None) -> None:
        self.client = client
        self.reader = reader or socket.gethostname()

    def batches(self) -> Iterator[list[Entry]]:
        """Yield what we held, what dead readers held, and what is new, until nothing is left.

        What has not been acknowledged when the next batch is asked for, stays for another time.
        """
        yield from self._held()
        yield from self._stale()
        while entries := self._read(">")[0]:
            yield entries

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Take entries out of the stream for good."""
        if not entries:
            return
        ids = [entry.id for entry in entries]
        with self.client.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, STREAM_GROUP, *ids)
            pipeline.xdel(STREAM, *ids)
            pipeline.execute()

    def _held(self) -> Iterator[list[Entry]]:
        last = "0"
        while True:
            entries, ids = self._read(last)
            if not ids:
                return
            if entries:
                yield entries
            last = ids[-1]

    def _stale(self) -> Iterator[list[Entry]]:
        cursor = "0-0"
        while True:
            answer = self._with_group(
                self.client.xautoclaim,
                *(STREAM, STREAM_GROUP, self.reader, STALE_MS),
                start_id=cursor,
                count=BATCH,
            )
            cursor, claimed = answer[0].decode(), answer[1]
            if entries := _entries(claimed):
                yield entries
            if cursor == "0-0":
                return

    def _read(self, after: str) -> tuple[list[Entry], list[str]]:
        """Return the entries there are, and the ids of all, of which some may have been deleted."""
        answer = self._with_group(
            self.client.xreadgroup, STREAM_GROUP, self.reader, {STREAM: after}, count=BATCH
        )
        if not answer:
            return [], []
        found = answer[0][1]
        ids = [entry_id.decode() for entry_id, _ in found]
        gone = [entry_id for entry_id, fields in found if not fields]
        if gone:  # deleted by another reader that had stored them
            self.client.xack(STREAM, STREAM_GROUP, *gone)
        return _entries(found), ids

    def _with_group(self, ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Ask again with a group, if Redis has lost it: from the start, so that none is missed."""
        try:
            return ask(*args, **options)
        except redis.ResponseError as problem:
            if not str(problem).startswith("NOGROUP"):
                raise
        try:
            self.client.xgroup_create(STREAM, STREAM_GROUP, id="0", mkstream=True)
        except redis.ResponseError as problem:  # another reader was faster
            if not str(problem).startswith("BUSYGROUP"):
                raise
        return ask(*args, **options)


def _entries(found: Sequence[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Entry]:
    return [Entry(entry_id.decode(), fields.get(b"r", b"")) for entry_id, fields in found if fields]
