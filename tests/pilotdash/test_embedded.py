"""The embedded servers, as the supervisor runs them: real ones, in folders of every kind."""

import asyncio
import json
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pilotdash import kept
from pilotdash.embedded.valkey import kept_port
from tests.pilotdash.embedded_servers import Servers

LONG = "a folder with blanks and 'quotes' " * 4


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


def test_a_port_is_kept_while_it_is_free(folder):
    path = folder / "port.json"
    first = kept_port(path)
    again = kept_port(path)
    with socket.create_server(("127.0.0.1", first)):
        other = kept_port(path)

    assert again == first
    assert other != first
    assert json.loads(path.read_text()) == {"port": other}
