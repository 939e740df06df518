"""What a data folder keeps between runs: its lock, its secrets, its generated addresses."""

import base64
import fcntl
import json
import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import IO

# What a command in another terminal needs to reach the servers of a running product.
ENVIRONMENT = (
    "SECRET_KEY",
    "PILOTDASH_ENCRYPTION_KEYS",
    "MONITORING_TOKEN",
    "DATABASE_URL",
    "REDIS_URL",
    "PILOTDASH_WEB_URL",
    "PILOTDASH_GATEWAY_URL",
    "PILOTDASH_SIMULATOR_URL",
    "HOST",
    "PORT",
    "SITE_URL",
)
LEFTOVERS_SECONDS = 10.0


class AlreadyRunning(Exception):
    """Another start holds the data folder."""


def make_data_folder(data: Path) -> None:
    """Make the data folder; one that exists keeps its permissions, as do all above it."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if not data.exists():
        data.mkdir()
        # Root's servers run under another account, which must be able to walk to its own folder.
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)


def hold(data: Path) -> IO[bytes]:
    """Take the data folder for this process and the children that inherit the open file.

    After a supervisor was killed its watchdog holds on for some seconds, until nothing is left
    that could write to the folder; that is waited for. Raises AlreadyRunning.
    """
    lock = (data / "lock").open("ab+")
    deadline = time.monotonic() + LEFTOVERS_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline or is_alive(holder(lock)):
                lock.close()
                raise AlreadyRunning(f"it is already running on {data}") from None
            time.sleep(0.1)
        else:
            lock.truncate(0)
            lock.write(str(os.getpid()).encode())
            lock.flush()
            return lock


def holder(lock: IO[bytes]) -> int:
    lock.seek(0)
    return int(lock.read() or b"0")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner only; a crash leaves the old or the new."""
    handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(unfinished).replace(path)


def kept_secrets(data: Path) -> dict[str, str]:
    """Return the secrets of a data folder, made at its first start."""
    path = data / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    fresh = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PILOTDASH_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "MONITORING_TOKEN": secrets.token_urlsafe(32),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "VALKEY_PASSWORD": secrets.token_urlsafe(24),
    }
    if fresh.keys() - kept.keys():
        kept = fresh | kept
        write_private(path, json.dumps(kept, indent=1))
    return kept


def keep_environment(data: Path) -> None:
    """Note how to reach the servers of this run, for load_environment."""
    known = {name: os.environ[name] for name in ENVIRONMENT if os.environ.get(name)}
    write_private(data / "environment.json", json.dumps(known, indent=1))


def load_environment(data: Path) -> None:
    """Let a command talk to the product that runs on a data folder, where nothing else is set."""
    path = data / "environment.json"
    if path.exists():
        for name, value in json.loads(path.read_text()).items():
            os.environ.setdefault(name, value)


def forget_environment(data: Path) -> None:
    (data / "environment.json").unlink(missing_ok=True)
