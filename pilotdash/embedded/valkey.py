"""The embedded Valkey: on a loopback port that is kept, with a password and an append-only file."""

import asyncio
import json
import signal
import socket
from pathlib import Path

from pilotdash.embedded.place import Place
from pilotdash.embedded.postgres import server_environment
from pilotdash.kept import write_private
from pilotdash.part import Part

ADDRESS = "127.0.0.1"
SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    # Snapshots besides the append-only file would only cost.
    "save": '""',
    # A broker may refuse to take more, but never forget what it took.
    "maxmemory-policy": "noeviction",
}


class Valkey:
    """One Valkey server of a data folder."""

    def __init__(
        self, place: Place, *, password: str, settings: dict[str, str] | None = None
    ) -> None:
        self.place = place
        self.password = password
        self.settings = SETTINGS | (settings or {})
        self.port = 0

    def url(self, database: int = 0) -> str:
        return f"redis://:{self.password}@{ADDRESS}:{self.port}/{database}"

    def prepare(self) -> None:
        """Choose the port, the one of the last run if it is free, and write the settings."""
        folder = self.place.make_folder("valkey")
        self.port = kept_port(folder.parent / "valkey.json")
        lines = [
            f"bind {ADDRESS}",
            f"port {self.port}",
            # The password is in this file, so that no list of processes shows it.
            f"requirepass {self.password}",
            "daemonize no",
            'logfile ""',
            *(f"{name} {value}" for name, value in self.settings.items()),
        ]
        path = folder / "valkey.conf"
        write_private(path, "\n".join(lines) + "\n")
        self.place.account.own(path, 0o600)

    def part(self) -> Part:
        """Return how the supervisor runs this server."""
        return Part(
            name="valkey",
            command=(str(self.place.valkey_server), "valkey.conf"),
            environment=server_environment(),
            # Its files are named relative to its folder, which may have blanks.
            folder=self.place.folder / "valkey",
            popen_arguments=self.place.account.popen_arguments(),
            stop_signal=signal.SIGTERM,
            stop_seconds=30,
            is_ready=self.is_ready,
            ready_seconds=1800,
        )

    async def is_ready(self) -> bool:
        """Tell whether it answers; while it loads its file it answers with an error."""
        try:
            reader, writer = await asyncio.open_connection(ADDRESS, self.port)
        except OSError:
            return False
        try:
            writer.write(f"AUTH {self.password}\r\nPING\r\n".encode())
            async with asyncio.timeout(5):
                return (await reader.readline(), await reader.readline()) == (
                    b"+OK\r\n",
                    b"+PONG\r\n",
                )
        except OSError:
            return False
        finally:
            writer.close()


def kept_port(path: Path) -> int:
    """Return the port noted in a file if it is free, else note a new one."""
    port = json.loads(path.read_text())["port"] if path.exists() else 0
    if not is_free(port):
        port = 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((ADDRESS, port))
        port = probe.getsockname()[1]
    write_private(path, json.dumps({"port": port}))
    return int(port)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Without this the port counts as taken for a minute after the last server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True
