"""Keeps the parts of the product running: starts, watches, restarts and stops them.

Supervisors of the package index were weighed: honcho ends everything when one part exits; circus
and supervisor leave their children behind when they are killed, and none waits for readiness.

Every part leads a process group of its own and is ended as a group, because a killed granian main
leaves workers that go on answering. `supervisor.json` tells /readyz how the parts do.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pilotdash.part import Part, bound_log, kill_group, tail
from pilotdash.watchdog import Watchdog

FIRST_DELAY, LONGEST_DELAY = 0.2, 15.0
STEADY_SECONDS = 30.0
LOGS_CHECKED_SECONDS = 30.0


class PartFailed(Exception):
    """A part did not come up, or a one-off did not succeed; the message ends with its log."""


@dataclass
class Status:
    """What supervisor.json says of a part; `since` is when it came into its state."""

    state: str = "stopped"
    pid: int | None = None
    restarts: int = 0
    since: str = ""


class Supervisor:
    """Runs parts for one data folder, whose held lock its watchdog inherits."""

    def __init__(self, data: Path, *, lock: IO[bytes], say: Callable[[str], None]) -> None:
        self.data = data
        self.say = say
        self.statuses: dict[str, Status] = {}
        self.groups: list[tuple[Part, ...]] = []
        self.keepers: dict[str, asyncio.Task[None]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.up: dict[str, asyncio.Event] = {}
        self.stopping: set[str] = set()
        self.child_ended = asyncio.Event()
        (data / "logs").mkdir(mode=0o700, exist_ok=True)
        self.watchdog = Watchdog(lock)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._on_child_ended)
        self.bounding = asyncio.create_task(self._bound_logs())

    async def start(self, *parts: Part) -> None:
        """Start parts side by side and return when all are ready.

        Raises PartFailed when one is not ready within its time.
        """
        self.groups.append(parts)
        for part in parts:
            self.up[part.name] = asyncio.Event()
            self.keepers[part.name] = asyncio.create_task(self._keep(part))
        for part in parts:
            try:
                async with asyncio.timeout(part.ready_seconds):
                    await self.up[part.name].wait()
            except TimeoutError:
                log = tail(self._log(part))
                raise PartFailed(f"{part.name} does not come up{log}") from None

    async def run_once(self, *parts: Part) -> None:
        """Run parts that end by themselves, side by side.

        Raises PartFailed when one does not succeed.
        """
        started = [(part, self._spawn(part)) for part in parts]
        try:
            for _, process in started:
                await self._ended(process)
        finally:
            for part, process in started:
                self._clear(part, process)
                self._note(part, "stopped" if process.returncode else "done")
        for part, process in started:
            if process.returncode:
                raise PartFailed(f"{part.name} failed{tail(self._log(part))}")

    async def stop(self) -> None:
        """Stop every part, the last started first; those started side by side, together."""
        self.bounding.cancel()
        for group in reversed(self.groups):
            await asyncio.gather(*(self._stop(part) for part in group))
        self.hurry()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
        self.watchdog.end()

    def hurry(self) -> None:
        """Kill whatever still runs, for good."""
        self.stopping.update(self.keepers)
        for process in self.processes.values():
            kill_group(process)

    async def _stop(self, part: Part) -> None:
        self.stopping.add(part.name)
        keeper = self.keepers[part.name]
        process = self.processes.get(part.name)
        if process:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(part.stop_signal)
            await asyncio.wait([keeper], timeout=part.stop_seconds)
        # It did not stop in time, or waits to be started again.
        keeper.cancel()
        await asyncio.wait([keeper])
        self._note(part, "stopped")

    async def _keep(self, part: Part) -> None:
        delay = FIRST_DELAY
        while True:
            process = self._spawn(part)
            started = time.monotonic()
            ready = asyncio.create_task(self._becomes_ready(part, process))
            try:
                await self._ended(process)
            finally:
                ready.cancel()
                self._clear(part, process)
            if part.name in self.stopping:
                return
            if time.monotonic() - started >= STEADY_SECONDS:
                delay = FIRST_DELAY
            self.statuses[part.name].restarts += 1
            self._note(part, "backoff")
            log = tail(self._log(part))
            self.say(f"{part.name} ended ({process.returncode}), restart in {delay:.1f} s{log}")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _becomes_ready(self, part: Part, process: subprocess.Popen[bytes]) -> None:
        while part.is_ready and not await part.is_ready():
            await asyncio.sleep(0.1)
        if process.poll() is None:
            self._note(part, "running", process.pid)
            self.up[part.name].set()

    def _spawn(self, part: Part) -> subprocess.Popen[bytes]:
        process = part.spawn(self._log(part))
        self.processes[part.name] = process
        self.watchdog.watch(process, part.stop_signal)
        self._note(part, "starting", process.pid)
        return process

    def _clear(self, part: Part, process: subprocess.Popen[bytes]) -> None:
        kill_group(process)
        del self.processes[part.name]
        self.watchdog.forget(process)

    async def _ended(self, process: subprocess.Popen[bytes]) -> None:
        child_ended = self.child_ended
        while process.poll() is None:
            await child_ended.wait()
            child_ended = self.child_ended

    def _on_child_ended(self) -> None:
        self.child_ended.set()
        self.child_ended = asyncio.Event()
        self.watchdog.replace_if_dead()

    def _note(self, part: Part, state: str, pid: int | None = None) -> None:
        status = self.statuses.setdefault(part.name, Status())
        status.state, status.pid = state, pid
        status.since = datetime.now(UTC).isoformat(timespec="seconds")
        unfinished = self.data / "supervisor.json.new"
        parts = {name: asdict(status) for name, status in self.statuses.items()}
        unfinished.write_text(json.dumps({"pid": os.getpid(), "parts": parts}, indent=1))
        unfinished.replace(self.data / "supervisor.json")

    def _log(self, part: Part) -> Path:
        return self.data / "logs" / f"{part.name}.log"

    async def _bound_logs(self) -> None:
        while True:
            for log in (self.data / "logs").glob("*.log"):
                bound_log(log)
            await asyncio.sleep(LOGS_CHECKED_SECONDS)
