"""What takes the calls while the journal cannot be written."""

import asyncio
import os

import pytest

from apps.gateway.contract import ADMITTED_KEY
from apps.gateway.journal import open_journal
from apps.gateway.ledger import Ledger, NotRecordable, now_ms
from apps.gateway.resp import Connection
from tests.gateway.records import admitted, finished, redis_url, stream


@pytest.fixture
def unwritable(tmp_path):
    """A journal whose file takes nothing, as on a full disk."""
    journal = open_journal(tmp_path / "journal", lambda: None)
    os.dup2(os.open("/dev/full", os.O_WRONLY), journal._file)
    yield journal
    journal.close()


async def test_redis_takes_the_calls_while_the_journal_cannot_be_written(unwritable, valkey):
    record = admitted()
    async with Connection(redis_url()) as connection:
        ledger = Ledger(unwritable, connection)

        await ledger.admit(record)

        assert list(valkey.hkeys(ADMITTED_KEY)) == [record.id.encode()]
        await ledger.finish(finished(record))
        assert stream(valkey) == [finished(record)]
        assert (valkey.hlen(ADMITTED_KEY), ledger.unwritten) == (0, 0)


async def test_a_call_that_died_in_that_state_is_swept_up(unwritable, valkey):
    record = admitted()
    async with Connection(redis_url()) as connection:
        ledger = Ledger(unwritable, connection)
        await ledger.admit(record)

        await ledger.sweep(before_ms=now_ms() - 1_000)
        assert stream(valkey) == []
        await ledger.sweep(before_ms=now_ms() + 1_000)

    assert stream(valkey) == [record]
    assert valkey.hlen(ADMITTED_KEY) == 0


async def test_nothing_is_let_through_when_neither_can_be_written(unwritable):
    async with Connection("redis://127.0.0.1:1/0") as connection:
        with pytest.raises(NotRecordable):
            await Ledger(unwritable, connection).admit(admitted())


async def test_an_end_that_cannot_be_written_is_tried_again(tmp_path, valkey):
    journal = open_journal(tmp_path / "journal", lambda: None)
    record = admitted()
    async with Connection("redis://127.0.0.1:1/0") as away, Connection(redis_url()) as connection:
        ledger = Ledger(journal, away)
        await ledger.admit(record)
        real = os.dup(journal._file)
        os.dup2(os.open("/dev/full", os.O_WRONLY), journal._file)

        await ledger.finish(finished(record))

        assert ledger.unwritten == 1
        ledger._connection = connection
        retrying = asyncio.create_task(ledger.retry_for_ever())
        while ledger.unwritten:
            await asyncio.sleep(0.05)
        retrying.cancel()
        os.dup2(real, journal._file)
    assert stream(valkey) == [finished(record)]
    assert journal.open_calls == 0
    journal.close()
