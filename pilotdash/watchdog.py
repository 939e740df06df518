"""Ends what a killed supervisor leaves behind. Run as a script of its own, by path.

Its standard input says `+PID SIGNAL` for every process group that starts and `-PID` for every one
that is gone. When the input ends, the supervisor is dead, however it died: each leader gets its
signal, and a little later its whole group is killed. The lock of the data folder stays held
meanwhile, since this process inherits it.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

GRACE_SECONDS = 3.0


class Watchdog:
    """The supervisor's end: tells the script below what runs, and replaces it if it dies."""

    def __init__(self, lock: IO[bytes]) -> None:
        self.lock = lock
        self.groups: dict[int, int] = {}
        self.process = self._start()

    def watch(self, process: subprocess.Popen[bytes], stop_signal: int) -> None:
        self.groups[process.pid] = int(stop_signal)
        self._tell(f"+{process.pid} {int(stop_signal)}\n")

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        self.groups.pop(process.pid, None)
        self._tell(f"-{process.pid}\n")

    def replace_if_dead(self) -> None:
        if self.process.poll() is not None:
            self.end()
            self.process = self._start()
            for pid, stop_signal in self.groups.items():
                self._tell(f"+{pid} {stop_signal}\n")

    def end(self) -> None:
        """Let it go. What it still watches, it ends."""
        self.process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-IS", __file__],
            bufsize=0,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[self.lock.fileno()],
        )

    def _tell(self, line: str) -> None:
        # A dead one is replaced, and the new one told everything, when the supervisor hears of it.
        with contextlib.suppress(BrokenPipeError):
            assert self.process.stdin
            self.process.stdin.write(line.encode())


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            pid, stop_signal = line[1:].split()
            groups[int(pid)] = int(stop_signal)
        else:
            groups.pop(int(line[1:]), None)
    deadline = time.monotonic() + GRACE_SECONDS
    left = [pid for pid, number in groups.items() if reaches(os.kill, pid, number)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if reaches(os.killpg, pid, 0)]
    for pid in groups:
        reaches(os.killpg, pid, signal.SIGKILL)


def reaches(send: Callable[[int, int], None], pid: int, number: int) -> bool:
    try:
        send(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
