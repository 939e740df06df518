"""How finished calls get from the journal to the stream."""

import asyncio
import os
import time

import orjson
import pytest

from apps.gateway.contract import GATEWAYS_KEY, STREAM
from apps.gateway.ledger import now_ms
from apps.gateway.resp import Connection, Unavailable
from tests.gateway.records import admitted, finished, redis_url, shipper, stream


async def test_finished_calls_reach_the_stream_once_and_segments_go_a_minute_later(
    tmp_path, journal, valkey
):
    records = [admitted() for _ in range(300)]
    for record in records:
        journal.admit(record, now_ms())
        journal.finish(finished(record), now_ms())
    async with Connection(redis_url()) as connection:
        ship = shipper(tmp_path, connection, journal, keep_seconds=0.2)

        while await ship.ship_once():
            pass
        await ship.ship_once()

        assert stream(valkey) == [finished(record) for record in records]
        assert (ship.backlog, ship.oldest_age()) == (0, 0.0)
        os.close(journal.rotate())
        ship._forget_shipped()
        assert len(journal.segments) == 2
        await asyncio.sleep(0.3)
        ship._forget_shipped()
        assert [segment.path.name for segment in journal.segments] == ["00000002.log"]


async def test_everything_kept_is_shipped_again_to_a_restarted_server(tmp_path, journal, valkey):
    record = admitted()
    journal.admit(record, now_ms())
    journal.finish(finished(record), now_ms())
    async with Connection(redis_url()) as connection:
        ship = shipper(tmp_path, connection, journal)
        await ship.ship_once()
        valkey.delete(STREAM)

        ship._run_id = "of another process"
        with pytest.raises(Unavailable):
            await ship.beat("me")
        await ship.ship_once()

        assert stream(valkey) == [finished(record)]


async def test_the_backlog_and_its_age_are_known_while_redis_is_away(tmp_path, journal):
    for age_ms in (9_000, 0):
        record = admitted()
        journal.admit(record, now_ms() - age_ms)
        journal.finish(finished(record), now_ms() - age_ms)
    async with Connection("redis://127.0.0.1:1/0") as connection:
        ship = shipper(tmp_path, connection, journal)

        with pytest.raises(Unavailable):
            await ship.ship_once()

        assert ship.backlog == 2
        assert ship.oldest_age() == pytest.approx(9.0, abs=1.0)


async def test_a_gateway_tells_how_it_is_and_forgets_those_that_are_gone(tmp_path, journal, valkey):
    valkey.hset(GATEWAYS_KEY, "gone", orjson.dumps({"at": time.time() - 100}))
    valkey.hset(GATEWAYS_KEY, "rubbish", b"?")
    async with Connection(redis_url()) as connection:
        await shipper(tmp_path, connection, journal).beat("me")

    (name,) = valkey.hkeys(GATEWAYS_KEY)
    state = orjson.loads(valkey.hget(GATEWAYS_KEY, "me"))
    assert name == b"me"
    assert state.pop("at") == pytest.approx(time.time(), abs=5)
    assert state == {"backlog": 0, "oldest_age_s": 0.0, "routes_version": 7}
