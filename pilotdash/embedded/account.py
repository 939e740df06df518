"""Whose rights the embedded servers have: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NoAccount(Exception):
    """No account is left that may run the servers; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """The account of the servers; `switch` is False when it is already our own."""

    uid: int
    gid: int
    switch: bool

    def popen_arguments(self) -> dict[str, Any]:
        """Return what subprocess needs to run a child under this account."""
        if not self.switch:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def may_enter(self, folder: Path) -> bool:
        """Ask the system itself: modes alone tell nothing of access lists or mounts."""
        return self._succeeds('cd "$0"', folder)

    def may_run(self, program: Path) -> bool:
        return self._succeeds('test -x "$0" && test -r "$0"', program)

    def _succeeds(self, script: str, path: Path) -> bool:
        command = ["/bin/sh", "-c", script, str(path)]
        done = subprocess.run(
            command, cwd="/", check=False, capture_output=True, **self.popen_arguments()
        )
        return done.returncode == 0

    def own(self, path: Path, mode: int) -> None:
        """Give one file or folder of ours to this account."""
        if self.switch:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def choose_account(existing: Path) -> Account:
    """Return the account for the servers: our own, or for root an unprivileged one.

    `existing` is a server's data folder of an earlier run, if there is one: its owner is kept.
    Raises NoAccount.
    """
    uid = os.geteuid()
    owner = existing.stat().st_uid if existing.exists() else None
    if uid != 0:
        if owner not in (None, uid):
            raise NoAccount(f"{existing} belongs to another account; start as that one, or as root")
        return Account(uid, os.getegid(), switch=False)
    if owner:
        return Account(owner, existing.stat().st_gid, switch=True)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise NoAccount(
            "PostgreSQL does not run as root, and there is no account 'nobody': "
            "start as an ordinary user, or set DATABASE_URL and REDIS_URL"
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, switch=True)
