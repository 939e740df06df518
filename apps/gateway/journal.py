"""The durable record of calls: what is written here survives the death of the process.

It survives a loss of power as far as `fsync` reaches, at most 100 ms back. One folder per process,
held by flock: whoever gets the lock of another folder knows that its process is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

from apps.gateway.contract import CallRecord
from apps.gateway.segments import ADMITTED, FINISHED, SUFFIX, Segment, encode, load, unfinished

FSYNC_SECONDS: Final = 0.1
SEGMENT_SECONDS: Final = 20.0
SEGMENT_BYTES: Final = 8 << 20
LOCK: Final = "lock"
RECOVERING: Final = "recovering"

# The size of a file is flushed with its data either way; its times need not be. macOS has only one.
_sync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


class Unwritable(Exception):
    """The record could not be written to the journal."""


class Folder:
    """A folder of segments whose lock this process holds."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self.segments: list[Segment] = []

    @property
    def waiting(self) -> int:
        """How many finished calls have not reached the stream."""
        return sum(segment.waiting for segment in self.segments)

    def oldest_ms(self) -> int | None:
        return next((s.oldest_ms() for s in self.segments if s.waiting), None)

    def drop(self, segment: Segment) -> None:
        segment.remove()
        self.segments.remove(segment)

    def remove(self) -> None:
        """Delete an adopted folder whose every segment has been shipped and kept long enough."""
        (self.path / RECOVERING).unlink(missing_ok=True)
        (self.path / LOCK).unlink(missing_ok=True)
        # Something else in there is not ours to delete.
        with contextlib.suppress(OSError):
            self.path.rmdir()
        self.release()

    def release(self) -> None:
        for segment in self.segments:
            segment.close()
        os.close(self._lock)


class Journal(Folder):
    """The folder that this process writes. Times are passed in as milliseconds since 1970."""

    def __init__(self, path: Path, lock: int, on_finished: Callable[[], None]) -> None:
        super().__init__(path, lock)
        self._on_finished = on_finished
        self._open: dict[str, bytes] = {}
        self._number = 0
        self._file = -1
        self._dirty = False
        self._begun = 0.0
        self._begin_segment()

    @property
    def open_calls(self) -> int:
        return len(self._open)

    def admit(self, record: CallRecord, now_ms: int) -> None:
        """Write a call before it is let through, as the record that stands if we die meanwhile.

        Raises Unwritable: then nothing was written.
        """
        raw = record.to_json()
        self._write(encode(ADMITTED, now_ms, raw))
        self._open[record.id] = raw

    def finish(self, record: CallRecord, now_ms: int) -> None:
        """Write how a call ended. Raises Unwritable."""
        self._write(encode(FINISHED, now_ms, record.to_json()))
        self._open.pop(record.id, None)
        self.segments[-1].finished += 1
        self._on_finished()

    def forget(self, call_id: str) -> None:
        """Do not carry a call over any longer: it was recorded by another way."""
        self._open.pop(call_id, None)

    async def keep(self) -> None:
        """Flush to disk and begin new segments, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(FSYNC_SECONDS)
            if self._dirty:
                self._dirty = False
                with contextlib.suppress(OSError):  # the next write will tell
                    await loop.run_in_executor(None, _sync, self._file)
            current = self.segments[-1]
            age = time.monotonic() - self._begun
            if current.size and (age >= SEGMENT_SECONDS or current.size >= SEGMENT_BYTES):
                with contextlib.suppress(Unwritable):
                    await loop.run_in_executor(None, _sync_and_close, self.rotate())

    def rotate(self) -> int:
        """Seal the segment and begin another, which carries the open calls over.

        Return the sealed file, to be flushed and closed. Raises Unwritable: then the old one stays
        in use.
        """
        sealed, old, previous = self.segments[-1], self._file, self._number
        try:
            self._begin_segment()
            for raw in self._open.values():
                self._write(encode(ADMITTED, int(time.time() * 1000), raw))
        except (OSError, Unwritable) as error:
            if self.segments[-1] is not sealed:
                os.close(self._file)
                self.drop(self.segments[-1])
            self._file, self._number = old, previous
            raise Unwritable(str(error)) from None
        sealed.sealed = True
        return old

    def close(self) -> None:
        """Let go of the folder; whoever adopts it ships again what it holds."""
        _sync_and_close(self._file)
        self.release()

    def _begin_segment(self) -> None:
        path = self.path / f"{self._number + 1:08d}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._number += 1
        self.segments.append(Segment(path))
        self._begun = time.monotonic()

    def _write(self, line: bytes) -> None:
        segment = self.segments[-1]
        try:
            written = os.write(self._file, line)
            if written != len(line):
                raise OSError("short write")
        except OSError as error:
            # Half a line would swallow the one after it.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, segment.size)
            raise Unwritable(str(error)) from None
        segment.size += written
        self._dirty = True


def _sync_and_close(file: int) -> None:
    with contextlib.suppress(OSError):
        _sync(file)
    os.close(file)


def open_journal(root: Path, on_finished: Callable[[], None]) -> Journal:
    """Begin a folder of our own. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = uuid4().hex
    # Under its final name the folder is locked from its first moment.
    building = root / f".{name}"
    building.mkdir(mode=0o700)
    lock = _lock(building)
    if lock is None:
        raise OSError("the journal's new folder is locked by somebody else")
    return Journal(building.rename(root / name), lock, on_finished)


def adopt_orphans(root: Path) -> list[Folder]:
    """Take over folders of dead processes; their open calls become `crashed_unknown`."""
    folders = []
    for path in sorted(root.iterdir()) if root.is_dir() else []:
        if not path.is_dir() or (lock := _lock(path)) is None:
            continue
        folder = Folder(path, lock)
        try:
            _close_open_calls(path)
            folder.segments = [load(file) for file in sorted(path.glob(f"*{SUFFIX}"))]
        except OSError:
            folder.release()  # the disk is full or the file unreadable: try again later
            continue
        folders.append(folder)
    return folders


def _close_open_calls(path: Path) -> None:
    """Write the end of calls whose process died. Adopting twice changes nothing."""
    crashed = unfinished(path)
    if not crashed:
        return
    now_ms = int(time.time() * 1000)
    content = b"".join(encode(FINISHED, now_ms, raw) for raw in crashed)
    last = max(int(file.stem) for file in path.glob(f"*{SUFFIX}"))
    building, final = path / RECOVERING, path / f"{last + 1:08d}{SUFFIX}"
    building.write_bytes(content)
    building.rename(final)


def _lock(folder: Path) -> int | None:
    """Return the lock of a folder, or None where a living process holds it."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking, its last owner may have deleted it.
        is_current = os.path.samestat(os.fstat(lock), (folder / LOCK).stat())
    except OSError:
        is_current = False
    if not is_current:
        os.close(lock)
        return None
    return lock
