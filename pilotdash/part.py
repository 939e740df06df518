"""One program of the product, as the supervisor and the tests run it."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG_BYTES = 10_000_000
TAIL_BYTES, TAIL_LINES = 64_000, 15
GROUP_GONE_SECONDS = 3.0


@dataclass(frozen=True)
class Part:
    """How a program is started, known to be ready, and stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    popen_arguments: Mapping[str, Any] = field(default_factory=dict)
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10
    is_ready: Callable[[], Awaitable[bool]] | None = None
    ready_seconds: float = 60

    def spawn(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the program, leading a session and process group of its own."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self.popen_arguments,
            )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a program with all it started, and wait until none of them holds a port any more."""
    deadline = time.monotonic() + GROUP_GONE_SECONDS
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
        while has_members(process.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
    process.poll()


def has_members(group: int) -> bool:
    """Tell whether anything of a process group still runs.

    Signal 0 also finds the ended ones that nobody has waited for, and in a container without an
    init they stay for ever.
    """
    stats = list(Path("/proc").glob("[0-9]*/stat"))
    if not stats:  # macOS
        os.killpg(group, 0)
        return True
    for stat in stats:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # The name in parentheses may hold anything.
            state, _, of = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if int(of) == group and state not in "ZX":
                return True
    return False


def tail(log: Path) -> str:
    """Return the last lines of a log, indented; those of calls say nothing of why it ended."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        start = max(0, log.stat().st_size - TAIL_BYTES)
        file.seek(start)
        # The first line may have been cut.
        lines = file.read().decode(errors="replace").splitlines()[1 if start else 0 :]
    lines = [line for line in lines if not line.startswith('{"at":')]
    return "".join(f"\n    {line}" for line in lines[-TAIL_LINES:])


def bound_log(log: Path) -> None:
    """Start a log anew when it has grown too long, keeping one old copy.

    Its writers go on appending to the same file, so it is emptied and not renamed.
    """
    if log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
