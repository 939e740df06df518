"""Journal segments: files of lines `A <ms> <record>` (admitted) and `F <ms> <record>` (finished).

An admitted line already holds the record that is true if the process dies before the call ends, so
replaying needs no more than the lines themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import orjson

ADMITTED: Final = b"A"
FINISHED: Final = b"F"
SUFFIX: Final = ".log"
MOST_PREFIX: Final = 24
BLOCK: Final = 1 << 18


class Line(NamedTuple):
    """`raw` is the record as it will be shipped; `end` the offset in the file after the line."""

    kind: bytes
    written_ms: int
    raw: bytes
    end: int


@dataclass(slots=True)
class Segment:
    """How far one file has been written and shipped. `acked_at` is in monotonic seconds."""

    path: Path
    size: int = 0
    shipped: int = 0
    finished: int = 0
    finished_shipped: int = 0
    sealed: bool = False
    acked_at: float | None = None
    _reader: int | None = field(default=None, repr=False)

    @property
    def waiting(self) -> int:
        return self.finished - self.finished_shipped

    @property
    def is_shipped(self) -> bool:
        return self.shipped >= self.size

    def lines(self, limit: int = BLOCK) -> list[Line]:
        """Return lines that are not shipped yet: a block of them, at least one if there is one."""
        if self._reader is None:
            self._reader = os.open(self.path, os.O_RDONLY)
        block = b""
        while b"\n" not in block and self.shipped + len(block) < self.size:
            wanted = min(limit, self.size - self.shipped - len(block))
            piece = os.pread(self._reader, wanted, self.shipped + len(block))
            if not piece:
                break
            block += piece
        return list(parse(block, self.shipped))

    def ship_again(self) -> None:
        self.shipped = self.finished_shipped = 0
        self.acked_at = None

    def oldest_ms(self) -> int | None:
        """Return when the first line that is not shipped was written, in ms since 1970."""
        lines = self.lines(limit=4_096) if self.waiting else []
        return lines[0].written_ms if lines else None

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._reader is not None:
            os.close(self._reader)
            self._reader = None


def encode(kind: bytes, written_ms: int, raw: bytes) -> bytes:
    return b"%b %d %b\n" % (kind, written_ms, raw)


def parse(block: bytes, offset: int = 0) -> Iterator[Line]:
    """Yield the whole lines of a block.

    A line that cannot be read is yielded as finished, as it stands: whoever drains the stream
    keeps it with its reason among the dead letters. It must neither vanish nor block the others.
    """
    start = 0
    while (end := block.find(b"\n", start)) >= 0:
        # By positions: partition() would copy each record twice.
        space = block.find(b" ", start + 2, start + MOST_PREFIX)
        kind, written = block[start : start + 1], block[start + 2 : max(space, 0)]
        if kind in (ADMITTED, FINISHED) and written.isdigit() and space + 1 < end:
            yield Line(kind, int(written), block[space + 1 : end], offset + end + 1)
        else:
            yield Line(FINISHED, 0, block[start:end], offset + end + 1)
        start = end + 1


def load(path: Path) -> Segment:
    """Return a sealed segment for a file that a process left behind; a torn last line is cut."""
    content = path.read_bytes()
    size = content.rfind(b"\n") + 1
    finished = sum(line.kind == FINISHED for line in parse(content[:size]))
    return Segment(path, size=size, finished=finished, sealed=True)


def unfinished(folder: Path) -> list[bytes]:
    """Return the admitted records of a folder that no finished line answers."""
    open_calls: dict[str, bytes] = {}
    finished: set[str] = set()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        content = path.read_bytes()
        for line in parse(content[: content.rfind(b"\n") + 1]):
            try:
                call_id = str(orjson.loads(line.raw)["id"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue  # shipped as it stands, see parse()
            if line.kind == FINISHED:
                finished.add(call_id)
            else:
                open_calls[call_id] = line.raw
    return [raw for call_id, raw in open_calls.items() if call_id not in finished]
