"""`make up` as its user meets it: the whole product, started, refused, killed and stopped."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from pilotdash.paths import ROOT
from tests.product import Product, children_of, free_port

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.timeout(240)]

# Started once and always: everything but the one-offs and the demo's own.
PARTS = {"postgres", "valkey", "web", "gateway", "worker-ingest", "worker", "beat"}


@pytest.fixture(scope="module")
def product():
    with Product() as product:
        yield product


def start(environment, *, seconds=60):
    """Start the product where it cannot start; return exit code and output."""
    done = subprocess.run(
        [sys.executable, "-m", "pilotdash.run"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    return done.returncode, done.stdout + done.stderr


def still_running(pids):
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}/exe")]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_one_line_says_that_it_is_ready_and_one_how_to_become_administrator(product):
    link, ready = product.printed

    assert ready == f"PilotDash ready: {product.url}"
    address = re.fullmatch(
        rf"Make the first administrator \(this link works once\): ({product.url}/\S+)", link
    )
    assert address
    assert get(address[1])[0] == 200


def test_readyz_tells_every_part_with_its_restarts(product):
    status, body = get(f"{product.url}/readyz")

    parts = json.loads(body)["parts"]["supervisor"]["parts"]
    assert status == 200
    assert {name: part["state"] for name, part in parts.items()} == dict.fromkeys(
        PARTS, "running"
    ) | {"migrate": "done", "collectstatic": "done"}
    assert all(set(part) == {"state", "pid", "restarts", "since"} for part in parts.values())


def test_a_second_start_on_the_same_data_is_refused(product):
    environment = product.environment | {"PORT": str(free_port())}

    assert start(environment, seconds=5) == (
        1,
        f"PilotDash does not start: it is already running on {product.data}\n",
    )


def test_a_second_one_runs_beside_it_and_a_signal_stops_that_one_cleanly(product):
    with Product() as other:
        assert other.process
        pids = [other.pid(name) for name in PARTS]
        answers = [get(f"{url}/healthz")[0] for url in (product.url, other.url)]
        started = time.monotonic()

        other.process.send_signal(signal.SIGINT)
        returncode = other.wait(60)

        stopped = time.monotonic() - started
        states = {part["state"] for part in other.parts().values()}

    assert answers == [200, 200]
    assert (returncode, other.printed[2:]) == (0, ["Stopping"])
    assert states == {"stopped", "done"}
    assert still_running(pids) == []
    assert stopped < 30
    assert get(f"{product.url}/healthz")[0] == 200


def test_a_taken_port_is_said_before_anything_starts(product, tmp_path):
    environment = product.environment | {"PILOTDASH_DATA": str(tmp_path / "data")}

    assert start(environment) == (
        1,
        f"PilotDash does not start: cannot listen on 127.0.0.1:{product.port} "
        "(Address already in use); set HOST or PORT\n",
    )
    assert not (tmp_path / "data" / "postgres").exists()


def test_an_unusable_variable_is_said_by_name(product, tmp_path):
    environment = product.environment | {"PORT": "eighty", "PILOTDASH_DATA": str(tmp_path)}

    code, said = start(environment)

    assert code == 1
    assert said == (
        "PilotDash does not start: PORT is 'eighty'; use a whole number from 1 to 65535\n"
    )


def test_a_command_in_another_terminal_finds_the_running_database(product):
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--check"],
        cwd=ROOT,
        env=product.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_killed_gateway_comes_back_without_the_worker_it_left(product):
    main = product.pid("gateway")
    workers = children_of(main)

    os.kill(main, signal.SIGKILL)
    product.wait_running("gateway", other_than=main)

    assert workers
    assert still_running(workers) == []
    assert get(f"{product.url}/healthz")[0] == 200
    assert product.parts()["gateway"]["restarts"] == 1


def test_everything_ends_with_a_killed_supervisor_and_starts_again_on_the_same_data(product):
    assert product.process
    pids = [product.pid(name) for name in PARTS]
    old_link = product.printed[0]

    product.process.kill()
    product.wait()
    product.printed.clear()
    product.start()

    assert still_running(pids) == []
    assert len(product.printed) == 2
    assert product.printed[0] != old_link


def test_make_hands_the_signal_on(tmp_path_factory, product):
    """Both ways that a terminal or a service manager has: make alone, and its whole group."""
    product.stop()
    for reach, number in ((os.kill, signal.SIGTERM), (os.killpg, signal.SIGINT)):
        make = subprocess.Popen(
            ["make", "up"],
            cwd=ROOT,
            env=product.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert make.stdout
        for line in make.stdout:
            if line.startswith("PilotDash ready"):
                break
        reach(make.pid, number)
        printed, _ = make.communicate(timeout=60)

        assert printed.startswith("Stopping\n")
        assert {part["state"] for part in product.parts().values()} == {"stopped", "done"}
        assert not (product.data / "environment.json").exists()
