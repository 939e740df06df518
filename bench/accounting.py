"""What processes cost, as the operating system counts it. Linux only, like the rivals' set-up."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
# Nanoseconds; /proc/<pid>/stat counts in hundredths of a second, too coarse for nginx.
CPU_CLOCK = 2
SAMPLED_EVERY_S = 0.2


def cpu_ns(pid: int) -> int:
    """Return the CPU time of a process and all below it, threads that have ended included."""
    total = 0
    for each in _family(pid):
        with contextlib.suppress(OSError):
            total += time.clock_gettime_ns(~each << 3 | CPU_CLOCK)
    return total


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and all below it, shared pages in each, in MB."""
    pages = 0
    for each in _family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * PAGE / 1e6


def _family(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


class Peak:
    """The most a process family held while somebody watched, in MB."""

    def __init__(self) -> None:
        self.resident_mb = 0.0


@contextlib.contextmanager
def watched(pid: int) -> Iterator[Peak]:
    peak = Peak()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLED_EVERY_S):
            peak.resident_mb = max(peak.resident_mb, resident_mb(pid))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()
