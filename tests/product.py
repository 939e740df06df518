"""The whole product for a test: started as `make up` starts it, on a folder and port of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from pilotdash import kept
from pilotdash.paths import ROOT

READY_SECONDS = 120
STOP_SECONDS = 90
# What the product reads must come from its own data folder, not from the test run around it.
FOREIGN = (
    "SECRET_KEY",
    "PILOTDASH_ENCRYPTION_KEYS",
    "DATABASE_URL",
    "REDIS_URL",
    "DJANGO_SETTINGS_MODULE",
    "MONITORING_TOKEN",
    "SITE_URL",
    "ALLOWED_HOSTS",
)


class NotReady(Exception):
    """The product ended, or was silent for too long, before it was ready."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Product:
    """A running product. Use it in a `with` statement."""

    def __init__(self, *, demo: bool = False, **environment: str) -> None:
        self.demo = demo
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = tempfile.TemporaryDirectory(prefix="pd-", ignore_cleanup_errors=True)
        self.data = Path(self.folder.name) / "data"
        self.environment = {
            name: value for name, value in os.environ.items() if name not in FOREIGN
        }
        self.environment |= {"PORT": str(self.port), "PILOTDASH_DATA": str(self.data)}
        self.environment |= {"HOST": "127.0.0.1"} | environment
        self.printed: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Product":
        # Root's servers run under another account, which must be able to walk to the data.
        Path(self.folder.name).chmod(0o711)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.folder.cleanup()

    def start(self) -> None:
        self.is_ready = False
        self.is_told = threading.Event()
        command = [sys.executable, "-m", "pilotdash.run", *(["--demo"] if self.demo else [])]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.is_told.wait(READY_SECONDS) or not self.is_ready:
            self.stop()
            raise NotReady("\n".join(self.printed))

    def _read(self) -> None:
        """Read what it prints until it ends: a full pipe would make the supervisor wait."""
        assert self.process
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.printed.append(line.rstrip())
                if line.startswith("PilotDash ready:"):
                    self.is_ready = True
                    self.is_told.set()
        self.is_told.set()

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        if self.process.poll() is None:
            self.process.kill()
        return self.wait()

    def wait(self, seconds: float | None = None) -> int:
        """Wait until it has ended and all that it printed is read; return its exit code."""
        assert self.process
        returncode = self.process.wait(seconds)
        self.reader.join(10)
        return returncode

    def parts(self) -> dict[str, dict[str, Any]]:
        parts: dict[str, dict[str, Any]] = json.loads((self.data / "supervisor.json").read_text())[
            "parts"
        ]
        return parts

    def pid(self, part: str) -> int:
        pid = self.parts()[part]["pid"]
        assert isinstance(pid, int), f"{part} is {self.parts()[part]}"
        return pid

    def wait_running(self, part: str, *, other_than: int = 0, seconds: float = 60) -> int:
        """Wait until a part runs, as another process than the one given; return its pid."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.parts().get(part, {})
            if status.get("state") == "running" and status["pid"] != other_than:
                return int(status["pid"])
            time.sleep(0.1)
        raise NotReady(f"{part} is {self.parts().get(part)}")

    def django(self, program: str, *arguments: str) -> Any:
        """Run a program within the product's Django; return what it leaves in `result`.

        `arguments` are its `argv`.
        """
        environment = dict(self.environment)
        saved = json.loads((self.data / "environment.json").read_text())
        environment |= {name: saved[name] for name in kept.ENVIRONMENT if name in saved}
        environment["DJANGO_SETTINGS_MODULE"] = "pilotdash.settings"
        around = (
            "import django, json, sys\ndjango.setup()\nargv = sys.argv[1:]\nresult = None\n"
            f"{program}\nprint('RESULT' + json.dumps(result, default=str))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", around, *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=120,
        )
        return json.loads(done.stdout.rpartition("RESULT")[2])


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started. Linux only."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found
