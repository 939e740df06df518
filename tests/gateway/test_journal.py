"""Nothing that was let through goes unrecorded, whatever dies."""

import asyncio
import fcntl
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import orjson
import pytest

from apps.core.uuid7 import instant_of, new_uuid7
from apps.gateway.contract import ADMITTED_KEY, GATEWAYS_KEY, STREAM, CallRecord
from apps.gateway.journal import Unwritable, adopt_orphans, open_journal
from apps.gateway.ledger import Ledger, NotRecordable, now_ms
from apps.gateway.resp import Connection, Unavailable
from apps.gateway.segments import ADMITTED, FINISHED, encode, load, parse
from apps.gateway.shipping import Shipper

ROOT = os.getcwd()


def admitted(**fields) -> CallRecord:
    call_id = new_uuid7()
    record = CallRecord(
        id=str(call_id),
        admitted_at=instant_of(call_id),
        pilot_id=1,
        person_id=2,
        key_id=3,
        candidate_id=4,
        provider_id=5,
        alias="pilot-chat",
        endpoint="chat/completions",
        task="chat",
        outcome="crashed_unknown",
    )
    return replace(record, **fields)


def finished(record: CallRecord) -> CallRecord:
    return replace(record, outcome="ok", status=200, total_ms=5)


def redis_url() -> str:
    return os.environ["REDIS_URL"]


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal", lambda: None)
    yield journal
    journal.close()


def shipper(tmp_path, connection, *folders, keep_seconds=60.0) -> Shipper:
    made = Shipper(
        tmp_path / "journal", connection, routes_version=lambda: 7, keep_seconds=keep_seconds
    )
    made.folders += folders
    return made


def stream(valkey) -> list[CallRecord]:
    return [CallRecord.from_json(fields[b"r"]) for _, fields in valkey.xrange(STREAM)]


def test_a_record_survives_its_wire_form():
    record = finished(admitted(session="s", tool_calls=2))

    assert CallRecord.from_json(record.to_json()) == record


def test_admitted_and_finished_are_in_the_file_when_the_call_returns(journal):
    record = admitted()

    journal.admit(record, 1_000)
    journal.finish(finished(record), 2_000)

    lines = list(parse(journal.segments[0].path.read_bytes()))
    assert [(line.kind, line.written_ms) for line in lines] == [
        (ADMITTED, 1_000),
        (FINISHED, 2_000),
    ]
    assert CallRecord.from_json(lines[1].raw) == finished(record)
    assert (journal.waiting, journal.open_calls) == (1, 0)


def test_open_calls_are_carried_over_to_the_next_segment(journal):
    first, second = admitted(), admitted()
    journal.admit(first, 1_000)
    journal.admit(second, 1_000)
    journal.finish(finished(first), 1_001)

    os.close(journal.rotate())

    (carried,) = parse(journal.segments[1].path.read_bytes())
    assert (carried.kind, CallRecord.from_json(carried.raw)) == (ADMITTED, second)
    assert [segment.sealed for segment in journal.segments] == [True, False]


def test_a_full_disk_is_said_and_leaves_no_half_line(journal):
    record = admitted()
    journal.admit(record, 1_000)
    size = journal.segments[0].size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
    try:
        with pytest.raises(Unwritable):
            journal.finish(finished(record), 1_001)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert journal.segments[0].path.stat().st_size == size
    journal.finish(finished(record), 1_002)
    assert journal.waiting == 1


def test_lines_that_cannot_be_read_are_shipped_as_they_stand():
    good = encode(FINISHED, 5, b"{}")

    lines = list(parse(good + b"F x y\n" + b"rubbish\n" + good + b"torn"))

    assert [(line.kind, line.raw) for line in lines] == [
        (FINISHED, b"{}"),
        (FINISHED, b"F x y"),
        (FINISHED, b"rubbish"),
        (FINISHED, b"{}"),
    ]


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


def test_the_folder_of_a_living_process_is_left_alone(tmp_path, journal):
    assert adopt_orphans(tmp_path / "journal") == []


def test_a_folder_is_locked_from_its_first_moment(tmp_path, journal):
    with pytest.raises(BlockingIOError), (journal.path / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


DIES = """
    import os, sys, time
    from pathlib import Path
    from apps.gateway.journal import open_journal
    from tests.gateway.test_journal import admitted, finished

    journal = open_journal(Path(sys.argv[1]), lambda: None)
    for number in range(200):
        record = admitted()
        journal.admit(record, 1_000)
        if number % 2:
            journal.finish(finished(record), 1_001)
        print(record.id, number % 2, flush=True)
        if number == 120:
            os.close(journal.rotate())
    print("written", flush=True)
    time.sleep(60)
"""


async def test_a_killed_process_leaves_every_admitted_call_exactly_once(tmp_path, valkey):
    root = tmp_path / "journal"
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DIES), str(root)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": ROOT},
        text=True,
    )
    ended: dict[str, bool] = {}
    while (line := process.stdout.readline()) != "written\n":
        call_id, has_ended = line.split()
        ended[call_id] = has_ended == "1"
    process.send_signal(signal.SIGKILL)
    process.communicate()

    (folder,) = adopt_orphans(root)
    async with Connection(redis_url()) as connection:
        ship = shipper(tmp_path, connection, folder, keep_seconds=0.0)
        assert folder.waiting == 200
        while await ship.ship_once():
            pass
        await asyncio.sleep(0.01)
        ship._forget_shipped()

    outcomes = {record.id: record.outcome for record in stream(valkey)}
    assert len(stream(valkey)) == 200
    assert outcomes == {
        call_id: "ok" if has_ended else "crashed_unknown" for call_id, has_ended in ended.items()
    }
    assert list(root.iterdir()) == []


def test_adopting_twice_changes_nothing(tmp_path):
    root = tmp_path / "journal"
    journal = open_journal(root, lambda: None)
    journal.admit(admitted(), 1_000)
    journal.close()

    (first,) = adopt_orphans(root)
    first.release()
    (second,) = adopt_orphans(root)

    assert (first.waiting, second.waiting) == (1, 1)
    second.release()


def test_a_torn_last_line_is_cut(tmp_path):
    path = tmp_path / "00000001.log"
    whole = encode(FINISHED, 1, finished(admitted()).to_json())
    path.write_bytes(whole + b"A 17 {")

    segment = load(path)

    assert (segment.size, segment.finished) == (len(whole), 1)


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
