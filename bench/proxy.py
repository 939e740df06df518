"""A proxy that runs: what the bench must know of it, and how one is started and stopped."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import Literal

from bench.load import HOST, Load, requests_of

READY_WITHIN_S = 90
STOPS_WITHIN_S = 20


class NotRun(Exception):
    """A proxy could not be installed or started; the text says why, for the results."""


@dataclass(frozen=True)
class Proxy:
    """`pid` is the process whose family is accounted; None where there is nothing in between.

    `beside` is a process that works for it but is not the proxy itself. `speed` says how many
    requests a phase needs of it. `counted` tells what it has counted so far, as evidence.
    """

    title: str
    version: str
    ran_with: str
    port: int
    pid: int | None
    keys: list[str] = field(default_factory=lambda: ["bench"])
    headers: dict[str, str] = field(default_factory=dict)
    beside: int | None = None
    speed: Literal["slow", "usual", "fast"] = "usual"
    counted: Callable[[], dict[str, int]] = dict


# Starts a command beside a port and returns its process id.
Start = Callable[[list[str], int, Mapping[str, str]], int]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(
    command: list[str], port: int, environment: Mapping[str, str], folder: Path
) -> Iterator[int]:
    """Run a program until the block ends. Raises NotRun when its port stays closed.

    It sees only the environment it is given: neither our secrets nor settings of this machine.
    """
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={**clean, **environment}, stdin=DEVNULL, stdout=log, stderr=log
        )
    try:
        try:
            _wait_until_it_listens(process, port)
        except NotRun:
            # For the console only: it may tell of this machine.
            print((folder / f"{port}.log").read_text(errors="replace")[-2_000:])
            raise
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while not _listens(port):
        if process.poll() is not None:
            raise NotRun(f"ended at once with exit code {process.returncode}")
        if time.monotonic() > deadline:
            raise NotRun(f"did not listen within {READY_WITHIN_S} s")
        time.sleep(0.05)


def check(proxy: Proxy) -> None:
    """Ask once. Raises NotRun unless it answers 200 in time."""
    load = Load(proxy.port, proxy.keys[:1], 1, 1, headers=proxy.headers)
    deadline = time.monotonic() + READY_WITHIN_S
    last = "no answer"
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, http.client.HTTPException):
            status = _status(load)
            if status == 200:
                return
            last = f"HTTP {status}"
        time.sleep(0.2)
    raise NotRun(f"did not answer within {READY_WITHIN_S} s: {last}")


def _status(load: Load) -> int:
    with socket.create_connection((HOST, load.port), 30) as connection:
        connection.sendall(requests_of(load)[0])
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()
        return answer.status


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
        return True
    return False
