"""What a data folder keeps between runs: its lock, its secrets, its generated addresses."""

import base64
import fcntl
import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import IO


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

    Raises AlreadyRunning.
    """
    lock = (data / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRunning(f"PilotDash is already running on {data}") from None
    return lock


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
