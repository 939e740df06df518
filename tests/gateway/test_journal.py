"""Nothing that was let through goes unrecorded, whatever dies."""

import asyncio
import fcntl
import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest

from apps.gateway.contract import CallRecord
from apps.gateway.journal import Unwritable, adopt_orphans, open_journal
from apps.gateway.resp import Connection
from apps.gateway.segments import ADMITTED, FINISHED, parse
from tests.gateway.records import admitted, finished, redis_url, shipper, stream

ROOT = os.getcwd()


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


def test_the_folder_of_a_living_process_is_left_alone(tmp_path, journal):
    assert adopt_orphans(tmp_path / "journal") == []


def test_a_folder_is_locked_from_its_first_moment(tmp_path, journal):
    with pytest.raises(BlockingIOError), (journal.path / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


DIES = """
    import os, sys, time
    from pathlib import Path
    from apps.gateway.journal import open_journal
    from tests.gateway.records import admitted, finished

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
