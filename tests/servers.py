"""PostgreSQL and Valkey for one test run: the embedded ones, tuned to be fast instead of safe.

`python -m tests.servers` runs both, tells their addresses in one line, and ends them and removes
their data when its standard input ends: so they never outlive the test run, however that ended.
"""

import asyncio
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pilotdash import kept
from pilotdash.embedded.place import settle
from pilotdash.embedded.postgres import Postgres
from pilotdash.embedded.valkey import Valkey
from pilotdash.paths import ROOT
from pilotdash.supervisor import Supervisor

FAST_POSTGRES = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "max_connections": "200",
}
# A database for every process of pytest-xdist.
FAST_VALKEY = {"appendonly": "no", "databases": "64"}

DATABASE, REDIS, DATA = (
    "PILOTDASH_TEST_DATABASE_URL",
    "PILOTDASH_TEST_REDIS_URL",
    "PILOTDASH_TEST_DATA",
)


def start_once() -> None:
    """Start the servers unless an earlier caller, or the developer, has given their addresses.

    The keeper lives as long as this process holds the other end of its standard input.
    """
    if DATABASE in os.environ and REDIS in os.environ:
        return
    keeper = subprocess.Popen(
        [sys.executable, "-m", "tests.servers"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert keeper.stdout
    told = keeper.stdout.readline()
    if not told:
        raise RuntimeError("the test servers did not start")
    os.environ.update(json.loads(told))
    atexit.register(keeper.communicate)


def set_environment() -> None:
    """Point this process at the servers, each process of pytest-xdist at a database of its own."""
    start_once()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    os.environ["DATABASE_URL"] = os.environ[DATABASE]
    os.environ["REDIS_URL"] = f"{os.environ[REDIS].rsplit('/', 1)[0]}/{number}"
    if DATA in os.environ:
        data = Path(os.environ[DATA]) / (worker or "main")
        data.mkdir(exist_ok=True)
        os.environ["PILOTDASH_DATA"] = str(data)


async def keep() -> None:
    root = Path(tempfile.mkdtemp(prefix="pd-test-", dir="/tmp"))
    root.chmod(0o711)
    data = root / "servers"
    kept.make_data_folder(data)
    lock = kept.hold(data)
    place = settle(data, say=report)
    postgres = Postgres(place, password="test", settings=FAST_POSTGRES)
    valkey = Valkey(place, password="test", settings=FAST_VALKEY)
    supervisor = Supervisor(data, lock=lock, say=report)
    try:
        postgres.prepare()
        valkey.prepare()
        await supervisor.start(postgres.part(), valkey.part())
        print(json.dumps({DATABASE: postgres.url(), REDIS: valkey.url(), DATA: str(root)}))
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        # Nobody wants the data any more.
        supervisor.hurry()
    finally:
        await supervisor.stop()
        postgres.clean_up()
        shutil.rmtree(root, ignore_errors=True)


def report(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(keep())
