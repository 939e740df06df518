"""A gateway as it runs in earnest: granian in a process of its own, a provider in a thread."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from apps.gateway.contract import ROUTES_KEY, ROUTES_VERSION_KEY, STREAM, CallRecord, RouteTable
from tests.fakes.provider import Provider, serve
from tests.gateway.rig import FERNET, KEY, table

ROOT = Path(__file__).parent.parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Live:
    process: subprocess.Popen
    port: int
    provider: Provider
    provider_port: int
    valkey: "redis.Redis"
    data: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def records(self, count: int, seconds: float = 30.0) -> list[CallRecord]:
        """Wait until the stream holds so many calls, and return them."""
        until(lambda: self.valkey.xlen(STREAM) >= count, seconds)
        return [CallRecord.from_json(fields[b"r"]) for _, fields in self.valkey.xrange(STREAM)]

    def calls_of(self, session: str, count: int) -> list[CallRecord]:
        """Wait until so many calls of a session have ended, and return them, oldest first."""

        def found() -> list[CallRecord]:
            return [record for record in self.records(0) if record.session == session]

        until(lambda: len(found()) >= count)
        return sorted(found(), key=lambda record: record.id)

    def send(self, body: bytes, path: str = "/v1/chat/completions") -> socket.socket:
        """Send a request and return the connection with its answer still to be read."""
        connection = socket.create_connection(("127.0.0.1", self.port), 10)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        return connection


def until(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def provider_in_thread() -> Iterator[tuple[Provider, int]]:
    provider = Provider()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner, port = asyncio.run_coroutine_threadsafe(serve(provider), loop).result(10)
    try:
        yield provider, port
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def running_live(
    data: Path,
    valkey: "redis.Redis",
    models: dict[str, str],
    *,
    change: Callable[[RouteTable], RouteTable] = lambda routes: routes,
    output: int | None = None,
    **environment: str,
) -> Iterator[Live]:
    """Run a gateway whose aliases lead to the fake provider; `change` alters its routes first.

    `output` is a file descriptor that takes all that it prints, instead of errors alone here.
    """
    port = free_port()
    with provider_in_thread() as (provider, provider_port):
        routes = change(table(f"http://127.0.0.1:{provider_port}/v1", models))
        valkey.set(ROUTES_KEY, routes.to_json())
        valkey.set(ROUTES_VERSION_KEY, routes.version)
        settings = {
            "PILOTDASH_DATA": str(data),
            "PILOTDASH_ENCRYPTION_KEYS": FERNET,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PILOTDASH_WEB_URL": f"http://127.0.0.1:{free_port()}",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pilotdash.parts", "gateway"],
            cwd=ROOT,
            env=os.environ | settings | environment,
            stdout=subprocess.DEVNULL if output is None else output,
            stderr=output,
            start_new_session=True,
        )
        live = Live(process, port, provider, provider_port, valkey, data)
        try:
            until(lambda: is_up(port))
            yield live
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_up(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(2)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False
