"""The embedded PostgreSQL: on a socket in a short private folder, with a password."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from pilotdash.embedded.place import Place
from pilotdash.kept import write_private
from pilotdash.part import Part

USER = "pilotdash"
DATABASE = "pilotdash"
# A socket's path may have 107 bytes, and a data folder's alone can have more.
SOCKET_FOLDER = Path("/tmp")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The wheel carries no compiler library.
    "jit": "off",
}


class SetUpFailed(Exception):
    """PostgreSQL's initdb gave up; the message holds its last words."""


class Postgres:
    """One PostgreSQL server of a data folder.

    `settings` are more server settings, for example to trade safety for speed in tests.
    """

    def __init__(
        self, place: Place, *, password: str, settings: dict[str, str] | None = None
    ) -> None:
        self.place = place
        self.password = password
        self.settings = SETTINGS | (settings or {})
        self.folder = place.folder / "postgres"
        self.sockets = self._make_socket_folder()

    def url(self, database: str = DATABASE) -> str:
        password = quote(self.password, safe="")
        return f"postgres://{USER}:{password}@/{database}?host={self.sockets}"

    def prepare(self) -> None:
        """Set up the database cluster at the first start; take away a stale pid file.

        Raises SetUpFailed.
        """
        if (self.folder / "PG_VERSION").exists():
            self._stop_orphan()
            return
        unfinished = self.place.folder / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self.sockets / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        self.place.account.own(password_file, 0o600)
        unfinished.mkdir(mode=0o700)
        self.place.account.own(unfinished, 0o700)
        command = [
            str(self.place.postgres_program("initdb")),
            f"--pgdata={unfinished}",
            f"--username={USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The builtin provider sorts the same on every machine, whatever its libraries.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        ]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        try:
            done = subprocess.run(
                command,
                cwd=self.sockets,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
                **self.place.account.popen_arguments(),
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise SetUpFailed(f"initdb failed: {(done.stdout + done.stderr)[-2000:].strip()}")
        unfinished.rename(self.folder)

    def part(self) -> Part:
        """Return how the supervisor runs this server."""
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        return Part(
            name="postgres",
            command=(
                str(self.place.postgres_program("postgres")),
                f"-D{self.folder}",
                f"-k{self.sockets}",
                *options,
            ),
            environment=server_environment(),
            folder=self.sockets,
            popen_arguments=self.place.account.popen_arguments(),
            # Fast shutdown: connections are closed, a checkpoint is written.
            stop_signal=signal.SIGINT,
            stop_seconds=60,
            is_ready=self.is_ready,
            # Recovery after a crash replays the log, which can take minutes.
            ready_seconds=1800,
        )

    async def is_ready(self) -> bool:
        """Tell whether connections are taken, and see that our database exists."""
        try:
            connection = await psycopg.AsyncConnection.connect(
                self.url("postgres"), autocommit=True, connect_timeout=5
            )
        except psycopg.OperationalError:
            return False
        async with connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            if await (await connection.execute(query, [DATABASE])).fetchone() is None:
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        return True

    def clean_up(self) -> None:
        """Remove the folder of the socket, once the server is down."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _make_socket_folder(self) -> Path:
        """Make a folder that nobody can have made before us; remove one that a kill left."""
        noted = self.place.folder / "sockets.json"
        if noted.exists():
            left = Path(json.loads(noted.read_text())["folder"])
            if left.is_dir() and left.stat().st_uid == self.place.account.uid:
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="pd-", dir=SOCKET_FOLDER))
        self.place.account.own(folder, 0o700)
        write_private(noted, json.dumps({"folder": str(folder)}))
        return folder

    def _stop_orphan(self) -> None:
        """Deal with the pid file of a server that was killed, or outlived whoever started it.

        PostgreSQL sees by itself that the pid is gone, but takes any process of this account
        that got the same number for a running server.
        """
        pid_file = self.folder / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if str(self.folder) not in command_line(pid):
            pid_file.unlink()
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 60
        while pid_file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)


def server_environment() -> dict[str, str]:
    """Return the environment of a server: nothing of ours, above all no secret."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def command_line(pid: int) -> str:
    """Return the command line of a process, empty if there is none with this number."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    # macOS
    done = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout
