"""The supervisor, with small programs for parts."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pilotdash import kept
from pilotdash.part import LOG_BYTES, Part, bound_log, tail
from pilotdash.paths import ROOT
from pilotdash.supervisor import PartFailed, Supervisor

# A program with a child of its own, as granian has workers; it tells both pids.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "a").write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""


def python(name, code, *arguments, **how):
    command = (sys.executable, "-c", textwrap.dedent(code), *map(str, arguments))
    return Part(name=name, command=command, environment=dict(os.environ), folder=ROOT, **how)


@pytest.fixture
async def supervisor(tmp_path):
    said = []
    with kept.hold(tmp_path) as lock:
        supervisor = Supervisor(tmp_path, lock=lock, say=said.append)
        supervisor.said = said
        yield supervisor
        supervisor.hurry()
        await supervisor.stop()


def state_of(data: Path, name: str):
    return json.loads((data / "supervisor.json").read_text())["parts"][name]


async def until(condition, seconds=10):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        # A zombie has ended; only its parent has not heard yet.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def pids(path: Path) -> list[int]:
    return [int(word) for word in path.read_text().split()] if path.exists() else []


async def test_a_part_is_running_once_it_says_that_it_is_ready(supervisor, tmp_path):
    flag = tmp_path / "flag"

    async def is_ready():
        return flag.exists()

    part = python("a", "import time; time.sleep(600)", is_ready=is_ready)
    starting = asyncio.create_task(supervisor.start(part))
    await until(lambda: (tmp_path / "supervisor.json").exists())
    before = state_of(tmp_path, "a")["state"]
    flag.touch()
    await starting
    after = state_of(tmp_path, "a")

    assert (before, after["state"], after["restarts"]) == ("starting", "running", 0)
    assert after["pid"] == supervisor.processes["a"].pid


async def test_a_part_that_is_not_ready_in_time_fails_the_start_with_its_log(supervisor):
    async def never():
        return False

    part = python("a", "print('why', flush=True); input()", is_ready=never, ready_seconds=1)

    with pytest.raises(PartFailed, match=r"(?s)a does not come up.*why"):
        await supervisor.start(part)


async def test_a_killed_part_is_started_again_without_what_it_left(supervisor, tmp_path):
    told = tmp_path / "pids"
    await supervisor.start(python("a", PARENT, told))
    await until(lambda: len(pids(told)) == 2)
    first, orphan = pids(told)

    os.kill(first, signal.SIGKILL)
    await until(lambda: len(pids(told)) == 4)

    assert not is_running(orphan)
    assert (state_of(tmp_path, "a")["state"], state_of(tmp_path, "a")["restarts"]) == ("running", 1)
    assert supervisor.said == ["a ended (-9), restart in 0.2 s"]


async def test_the_pause_before_a_restart_doubles(supervisor):
    await supervisor.start(python("a", "raise SystemExit(3)"))

    await until(lambda: len(supervisor.said) == 3)

    assert supervisor.said == [f"a ended (3), restart in {s} s" for s in (0.2, 0.4, 0.8)]


async def test_a_part_that_waits_to_be_started_again_can_be_stopped(supervisor, tmp_path):
    await supervisor.start(python("a", "raise SystemExit(3)"))
    await until(lambda: supervisor.said)

    async with asyncio.timeout(5):
        await supervisor.stop()

    assert state_of(tmp_path, "a")["state"] == "stopped"


async def test_parts_stop_in_the_reverse_order_of_their_start(supervisor, tmp_path):
    code = """
    import pathlib, signal, sys, time
    def stop(*_):
        time.sleep(0.2)
        with open(sys.argv[1], "a") as file:
            file.write(sys.argv[2])
        sys.exit()
    signal.signal(signal.SIGTERM, stop)
    pathlib.Path(sys.argv[1] + sys.argv[2]).touch()
    time.sleep(600)
    """
    for name in "abc":
        await supervisor.start(python(name, code, tmp_path / "order", name))
    await until(lambda: all((tmp_path / f"order{name}").exists() for name in "abc"))

    await supervisor.stop()

    assert (tmp_path / "order").read_text() == "cba"


async def test_a_part_that_does_not_stop_in_time_is_killed_with_its_children(supervisor, tmp_path):
    told = tmp_path / "pids"
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    await supervisor.start(python("a", deaf + PARENT, told, stop_seconds=0.3))
    await until(lambda: len(pids(told)) == 2)

    await supervisor.stop()

    assert [is_running(pid) for pid in pids(told)] == [False, False]


async def test_a_one_off_is_done_or_fails_with_its_log(supervisor, tmp_path):
    await supervisor.run_once(python("good", "print(1)"))
    with pytest.raises(PartFailed, match=r"(?s)bad failed.*no such thing"):
        await supervisor.run_once(python("bad", "raise SystemExit('no such thing')"))

    assert state_of(tmp_path, "good")["state"] == "done"
    assert state_of(tmp_path, "bad")["state"] == "stopped"


async def test_a_killed_watchdog_is_replaced(supervisor):
    await supervisor.start(python("a", "import time; time.sleep(600)"))
    first = supervisor.watchdog.process.pid

    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.watchdog.process.pid != first)

    assert supervisor.watchdog.process.poll() is None


# A supervisor that can be killed: it runs PARENT and waits.
SUPERVISED = """
import asyncio, os, pathlib, sys
from pilotdash import kept
from pilotdash.part import Part
from pilotdash.supervisor import Supervisor

async def main():
    data = pathlib.Path(sys.argv[1])
    supervisor = Supervisor(data, lock=kept.hold(data), say=print)
    command = (sys.executable, "-c", sys.argv[2], str(data / "pids"))
    await supervisor.start(Part("a", command, dict(os.environ), data))
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_everything_dies_with_a_killed_supervisor_and_the_folder_is_free(tmp_path):
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path), PARENT]
    with subprocess.Popen(command, cwd=ROOT) as supervisor:
        await until(lambda: len(pids(tmp_path / "pids")) == 2)

        os.kill(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
        kept.hold(tmp_path).close()

    assert [is_running(pid) for pid in pids(tmp_path / "pids")] == [False, False]


def test_a_folder_that_is_held_is_refused_at_once(tmp_path):
    with kept.hold(tmp_path):
        started = time.monotonic()

        with pytest.raises(kept.AlreadyRunning):
            kept.hold(tmp_path)

    assert time.monotonic() - started < 1


def test_a_log_is_bounded_while_its_writer_goes_on(tmp_path):
    log = tmp_path / "a.log"
    with log.open("ab") as writer:
        writer.write(b"x" * (LOG_BYTES + 1))
        writer.flush()
        bound_log(log)
        writer.write(b"next\n")

    assert log.read_bytes() == b"next\n"
    assert (tmp_path / "a.log.1").stat().st_size == LOG_BYTES + 1


def test_the_tail_of_a_log_is_its_last_lines_but_for_calls(tmp_path):
    call = '{"at":"2026-01-01T00:00:00Z","event":"call"' + " " * 2_000 + "}\n"
    (tmp_path / "a.log").write_text("".join(f"{n}\n{call}" for n in range(100)))

    assert tail(tmp_path / "a.log").split() == [str(n) for n in range(85, 100)]
