import asyncio
import os
import stat
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from apps.gateway.contract import ROUTES_CHANNEL, ROUTES_KEY, ROUTES_VERSION_KEY, RouteTable
from apps.gateway.resp import Connection, Unavailable
from apps.gateway.routes import EMPTY, Routes
from tests.gateway.rig import NOW, table


def published(version: int, built_at=NOW) -> RouteTable:
    return replace(table("http://127.0.0.1:1/v1"), version=version, built_at=built_at)


def publish(valkey, routes: RouteTable) -> None:
    valkey.set(ROUTES_KEY, routes.to_json())
    valkey.set(ROUTES_VERSION_KEY, routes.version)


@pytest.fixture
async def connection():
    async with Connection(os.environ["REDIS_URL"]) as connection:
        yield connection


@pytest.fixture
def routes(tmp_path):
    return Routes(tmp_path / "gateway" / "routes.json")


async def test_a_newer_table_is_taken_and_kept_for_the_next_start(routes, valkey, connection):
    publish(valkey, published(3))

    assert await routes.refresh(connection)

    assert routes.table == published(3)
    assert stat.S_IMODE(routes._path.stat().st_mode) == 0o600
    restarted = Routes(routes._path)
    restarted.load()
    assert restarted.table == published(3)
    assert not await routes.refresh(connection)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        (published(4), True),
        (published(4, NOW - timedelta(seconds=5)), True),  # two web servers' clocks
        (published(2), False),
        (published(3), False),
        (published(1, NOW + timedelta(hours=1)), True),  # a database set up anew
    ],
    ids=("newer", "other clock", "older", "same", "set up anew"),
)
async def test_only_newer_tables_are_taken(routes, offered, taken):
    await routes.offer(published(3).to_json())

    assert await routes.offer(offered.to_json()) is taken

    assert routes.table == (offered if taken else published(3))


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"format":2}', published(9).to_json().replace(b"7", b'"x"', 1)],
    ids=("empty", "no format", "list", "later format", "broken"),
)
async def test_a_table_that_cannot_be_read_leaves_the_one_in_force(routes, raw):
    await routes.offer(published(3).to_json())

    await routes.offer(raw.replace(b'"format":1', b'"format":99'))

    assert routes.table == published(3)


def test_a_missing_or_broken_file_is_no_table(routes, tmp_path):
    routes.load()
    assert routes.table is EMPTY

    routes._path.parent.mkdir()
    routes._path.write_bytes(b"{")
    routes.load()
    assert routes.table is EMPTY


async def test_a_change_is_served_within_a_second_announced_or_not(routes, valkey, connection):
    publish(valkey, published(1))
    async with Connection(os.environ["REDIS_URL"]) as listening:
        following = asyncio.create_task(routes.follow(connection))
        hearing = asyncio.create_task(routes.listen(listening, connection))
        await asyncio.sleep(0.3)
        for version, announced in ((2, True), (3, False)):
            publish(valkey, published(version))
            if announced:
                valkey.publish(ROUTES_CHANNEL, version)
            began = time.monotonic()
            while routes.version != version:
                assert time.monotonic() - began < 1.0
                await asyncio.sleep(0.01)
        following.cancel()
        hearing.cancel()
        await asyncio.gather(following, hearing, return_exceptions=True)


async def test_a_server_that_is_away_is_said():
    async with Connection("redis://127.0.0.1:1/0") as connection:
        with pytest.raises(Unavailable):
            await connection.ask("PING")
