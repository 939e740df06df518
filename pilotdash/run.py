"""`make up` and `make demo`: the whole product on this machine, in the foreground."""

import argparse
import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pilotdash import env, kept, parts
from pilotdash.embedded.account import NoAccount
from pilotdash.embedded.place import PlaceLost, settle
from pilotdash.embedded.postgres import Postgres, SetUpFailed
from pilotdash.embedded.valkey import Valkey, kept_port
from pilotdash.part import Part
from pilotdash.paths import ROOT
from pilotdash.probe import http_status, our_headers
from pilotdash.supervisor import PartFailed, Supervisor

READY_SECONDS = 120.0
# One signal may come twice: make passes on what its whole process group was sent.
SAME_SIGNAL_SECONDS = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotStarted(Exception):
    """Something outside of us is in the way; the message says what."""


class Run:
    """One run of the product on a data folder that this process holds."""

    def __init__(self, data: Path, supervisor: Supervisor, *, demo: bool) -> None:
        self.data = data
        self.supervisor = supervisor
        self.demo = demo
        self.postgres: Postgres | None = None
        # Makes the first administrator, once; empty when there is one.
        self.first_link = ""
        self.address = "127.0.0.1" if env.host() == "0.0.0.0" else env.host().strip("[]")
        self.address = "::1" if self.address == "::" else self.address

    async def bring_up(self) -> None:
        """Start everything and return when all of it answers.

        Raises NotStarted, PartFailed and what the embedded servers raise.
        """
        refuse_taken_port(env.host().strip("[]"), env.port())
        await self._start_servers()
        await self.supervisor.run_once(
            self._command("migrate", "--noinput", "--skip-checks"),
            self._command("collectstatic", "--noinput", "--verbosity=0"),
        )
        if self.demo:
            if not (self.data / "demo.json").exists():
                say("Making the sample pilot; this takes a moment")
            await self.supervisor.run_once(self._command("seed_demo"))
        # Side by side, since each takes a second of its own to import; pages stop last.
        await asyncio.gather(
            self.supervisor.start(
                self._program("web", is_ready=self._web_answers), *self._demo_program("simulator")
            ),
            self.supervisor.start(
                self._program(
                    "gateway",
                    is_ready=self._gateway_answers,
                    stop_seconds=parts.GATEWAY_STOP_SECONDS + 5,
                ),
                self._program("worker-ingest", stop_seconds=20),
                self._program("worker", stop_seconds=20),
                self._program("beat"),
            ),
            self._ask_for_first_administrator(),
        )
        await self._until_ready()
        await self.supervisor.start(*self._demo_program("trickle"))

    async def _ask_for_first_administrator(self) -> None:
        if self.demo:
            return
        # What it prints is for whoever sits here, and not for a log.
        with (self.data / "logs" / "first_admin_link.log").open("w") as log:
            done = await asyncio.to_thread(
                subprocess.run,
                parts.manage("first_admin_link", "--skip-checks"),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=False,
            )
        self.first_link = done.stdout.strip()

    async def take_down(self) -> None:
        await self.supervisor.stop()
        if self.postgres:
            self.postgres.clean_up()
        kept.forget_environment(self.data)

    async def _start_servers(self) -> None:
        secrets = kept.kept_secrets(self.data)
        for name in ("SECRET_KEY", "PILOTDASH_ENCRYPTION_KEYS", "MONITORING_TOKEN"):
            if not os.environ.get(name):
                os.environ[name] = secrets[name]
        servers: list[Part] = []
        own_database = not os.environ.get("DATABASE_URL")
        own_broker = not os.environ.get("REDIS_URL")
        if own_database or own_broker:
            place = settle(self.data, say=say)
        if own_database:
            self.postgres = Postgres(place, password=secrets["POSTGRES_PASSWORD"])
            await asyncio.to_thread(self.postgres.prepare)
            os.environ["DATABASE_URL"] = self.postgres.url()
            servers.append(self.postgres.part())
        if own_broker:
            valkey = Valkey(place, password=secrets["VALKEY_PASSWORD"])
            valkey.prepare()
            os.environ["REDIS_URL"] = valkey.url()
            servers.append(valkey.part())
        os.environ["PILOTDASH_GATEWAY_URL"] = env.gateway_url()
        os.environ["PILOTDASH_WEB_URL"] = self._kept_url("web")
        if self.demo:
            os.environ["PILOTDASH_SIMULATOR_URL"] = self._kept_url("simulator")
            # Loopback is closed to providers once we listen elsewhere; the simulated ones are here.
            opened = [*env.upstream_allow_cidrs(), "127.0.0.1/32"]
            os.environ["PILOTDASH_UPSTREAM_ALLOW_CIDRS"] = ",".join(opened)
        kept.keep_environment(self.data)
        await self.supervisor.start(*servers)

    def _kept_url(self, name: str) -> str:
        return f"http://127.0.0.1:{kept_port(self.data / f'{name}.json')}"

    def _program(self, name: str, **how: Any) -> Part:
        return self._part(name, parts.command(name), **how)

    def _demo_program(self, name: str) -> list[Part]:
        if not self.demo:
            return []
        # Nobody waits for the answers that these have begun.
        return [self._program(name, stop_seconds=3)]

    def _command(self, *arguments: str) -> Part:
        return self._part(arguments[0], parts.manage(*arguments))

    def _part(self, name: str, command: tuple[str, ...], **how: Any) -> Part:
        environment = os.environ | parts.ENVIRONMENT
        return Part(name=name, command=command, environment=environment, folder=ROOT, **how)

    async def _web_answers(self) -> bool:
        port = urlsplit(env.web_url()).port or 0
        return await http_status("127.0.0.1", port, "/readyz", headers=our_headers()) is not None

    async def _gateway_answers(self) -> bool:
        return await self._status("/healthz") == 200

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while await self._status("/readyz") != 200:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise NotStarted(f"/readyz answers {await self._status('/readyz')}, not 200") from None

    async def _status(self, path: str) -> int | None:
        tls = env.tls_files() is not None
        return await http_status(self.address, env.port(), path, tls=tls, headers=our_headers())


def refuse_taken_port(host: str, port: int) -> None:
    """Say before anything starts that the address cannot be had. Raises NotStarted."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise NotStarted(
                f"cannot listen on {host}:{port} ({problem.strerror}); set HOST or PORT"
            ) from None


def end_with_make() -> None:
    """Stop when the make that started us is killed, which otherwise would leave us behind."""
    if "MAKELEVEL" in os.environ and sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


async def main(*, demo: bool) -> int:
    """Run until a signal comes; return the exit code."""
    data = env.data()
    kept.make_data_folder(data)
    supervisor = Supervisor(data, lock=kept.hold(data), say=say)
    run = Run(data, supervisor, demo=demo)
    told_to_stop = asyncio.Event()

    told_at = 0.0

    def on_signal() -> None:
        nonlocal told_at
        if not told_to_stop.is_set():
            told_at = time.monotonic()
            told_to_stop.set()
        elif time.monotonic() - told_at > SAME_SIGNAL_SECONDS:
            # Whoever asks again does not want to wait for streams.
            supervisor.hurry()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    stop = asyncio.create_task(told_to_stop.wait())
    up = asyncio.create_task(run.bring_up())
    try:
        await asyncio.wait([stop, up], return_when=asyncio.FIRST_COMPLETED)
        if up.done():
            await up
            if run.first_link:
                say(f"Make the first administrator (this link works once): {run.first_link}")
            scheme = "https" if env.tls_files() else "http"
            say(f"PilotDash ready: {scheme}://{env.host()}:{env.port()}")
            await stop
        say("Stopping")
        return 0
    finally:
        up.cancel()
        await asyncio.wait([up])
        await run.take_down()


PROBLEMS = (
    env.Misconfigured,
    kept.AlreadyRunning,
    NoAccount,
    NotStarted,
    PartFailed,
    PlaceLost,
    SetUpFailed,
)

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="with a sample pilot")
    end_with_make()
    try:
        sys.exit(asyncio.run(main(demo=parser.parse_args().demo)))
    except PROBLEMS as problem:
        sys.exit(f"PilotDash does not start: {problem}")
