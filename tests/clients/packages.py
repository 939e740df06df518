"""Clients written in JavaScript: installed once per lock file, outside of the repository."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

HERE = Path(__file__).parent / "node"
MANIFESTS = ("package.json", "package-lock.json", ".npmrc")
# What the packages of OpenAI and Anthropic ask for.
OLDEST_NODE = 20
INSTALL_SECONDS = 240
INSTALL = ("npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")


class NoNode(Exception):
    """There is no Node.js here that the clients run on."""


class NotInstalled(Exception):
    """npm could not install the packages: mostly, no registry answers."""


def cache_folder() -> Path:
    """Return where this lock file's packages belong, whether they are there or not."""
    content = b"".join((HERE / name).read_bytes() for name in MANIFESTS)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "pilotdash" / f"clients-{hashlib.sha256(content).hexdigest()[:16]}"


def installed_packages() -> Path:
    """Return a folder with `node_modules`, installed first if need be. Raises what is above."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise NoNode("node and npm are not both installed")
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30)
    version = re.match(r"v(\d+)\.", told.stdout)
    if version is None or int(version[1]) < OLDEST_NODE:
        raise NoNode(f"node is {told.stdout.strip() or 'broken'}, older than {OLDEST_NODE}")
    folder = cache_folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Several test processes come here at once; the others wait for the first.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            install(folder)
    return folder


def install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in MANIFESTS:
        shutil.copy(HERE / name, folder)
    try:
        done = subprocess.run(
            [*INSTALL, "--fetch-retries=1"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"npm ci took more than {INSTALL_SECONDS} s") from None
    if done.returncode:
        raise NotInstalled(done.stderr[-1_000:])
    (folder / "complete").touch()


@dataclass(frozen=True)
class Done:
    """What a program printed, and which hosts it was kept from calling."""

    printed: str
    refused: list[str]


@dataclass(frozen=True)
class Node:
    """Runs our programs beside the packages, in a folder and with a home of their own."""

    folder: Path
    base_url: str = ""
    key: str = ""

    def start(self, *command: str, given: str = "", home: Path | None = None, **more: str) -> Done:
        """Run a program to its end; `more` is added to its environment.

        It sees neither proxies nor keys of whoever runs the tests, and reaches this machine only.
        """
        refused = self.folder / f"refused-{uuid4()}"
        environment = {"PATH": os.environ["PATH"], "HOME": str(home or self.folder)}
        environment |= {"NODE_OPTIONS": f"--require={self.folder / 'loopback.cjs'}"}
        done = subprocess.run(
            ["node", *command],
            cwd=home or self.folder,
            env=environment | {"REFUSED": str(refused)} | more,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return Done(done.stdout, refused.read_text().split() if refused.exists() else [])

    def run(self, program: str, step: str, given: str = "", **options: Any) -> list[Any]:
        """Return what a step of one of our programs yields."""
        options |= {"baseURL": self.base_url, "apiKey": self.key}
        done = self.start(program, step, json.dumps(options), given=given)
        assert done.refused == []
        return [json.loads(line) for line in done.printed.splitlines()]


def prepared(folder: Path, packages: Path) -> Path:
    """Put our programs into a folder from which Node.js finds the packages."""
    (folder / "node_modules").symlink_to(packages / "node_modules")
    for program in HERE.glob("*.?js"):
        shutil.copy(program, folder)
    return folder
