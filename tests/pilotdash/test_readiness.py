import json
import time

import pytest

from apps.gateway.contract import GATEWAYS_KEY, STREAM
from apps.usage.quiet import DRAINED_KEY

pytestmark = pytest.mark.django_db

GATEWAY = {"backlog": 3, "oldest_age_s": 0.4, "routes_version": 7}


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


def beat(valkey, name, *, seconds_ago=0, **fields):
    state = GATEWAY | {"at": time.time() - seconds_ago} | fields
    valkey.hset(GATEWAYS_KEY, name, json.dumps(state))


def all_well(valkey):
    beat(valkey, "a")
    beat(valkey, "b", backlog=1, oldest_age_s=2.5, seconds_ago=9)
    beat(valkey, "dead", backlog=90, oldest_age_s=90.0, seconds_ago=11)
    valkey.set(DRAINED_KEY, valkey.time()[0])


def test_ready_when_every_part_works(client, valkey):
    all_well(valkey)

    response = client.get("/readyz")

    told = response.json()
    assert (response.status_code, told["ready"]) == (200, True)
    assert told["parts"]["gateway"] == {
        "ok": True,
        "processes": 2,
        "backlog": 4,
        "oldest_unshipped_s": 2.5,
        "routes_versions": [7],
    }
    assert told["parts"]["redis"]["calls_waiting"] == 0


@pytest.mark.parametrize("missing", ["gateway", "ingest"])
def test_not_ready_while_a_part_is_silent(client, valkey, missing):
    all_well(valkey)
    valkey.delete({"gateway": GATEWAYS_KEY, "ingest": DRAINED_KEY}[missing])

    response = client.get("/readyz")

    wrong = [name for name, part in response.json()["parts"].items() if not part["ok"]]
    assert (response.status_code, wrong) == (503, [missing])
    assert response["retry-after"] == "5"


def test_gateways_that_have_not_spoken_for_a_while_do_not_count(client, valkey):
    all_well(valkey)
    for name in ("a", "b"):
        beat(valkey, name, seconds_ago=11)

    response = client.get("/readyz")

    gateway = response.json()["parts"]["gateway"]
    assert (response.status_code, gateway["ok"], gateway["processes"]) == (503, False, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"x-forwarded-for": "127.0.0.1"}, 200),  # as the gateway says it
        ({"x-forwarded-for": "0.0.0.0"}, 401),
        ({"x-forwarded-for": "10.0.0.9"}, 401),
        ({"x-forwarded-for": "127.0.0.1, 6.6.6.6"}, 401),
        ({"x-forwarded-for": "6.6.6.6,"}, 401),
        ({"x-forwarded-for": ""}, 401),
        ({"forwarded": "for=127.0.0.1"}, 401),
        ({"x-real-ip": "127.0.0.1"}, 401),
        ({"x-forwarded-for": "", "authorization": "Bearer monitor"}, 200),
        ({"x-forwarded-for": "", "authorization": "Bearer wrong"}, 401),
    ],
)
def test_only_this_machine_and_the_monitor_are_told(client, valkey, settings, headers, status):
    settings.MONITORING_TOKEN = "monitor"
    all_well(valkey)

    response = client.get("/readyz", headers=headers)

    assert response.status_code == status
    if status == 401:
        error = {
            "message": "A bearer MONITORING_TOKEN is needed.",
            "type": "authentication_error",
            "code": "unauthorized",
            "param": None,
        }
        assert response.json() == {"error": error}


def test_a_drain_that_stopped_is_told(client, valkey):
    all_well(valkey)
    valkey.set(DRAINED_KEY, valkey.time()[0] - 90)
    valkey.xadd(STREAM, {"r": b"{}"}, id=f"{(valkey.time()[0] - 40) * 1000}-0")

    parts = client.get("/readyz").json()["parts"]

    assert parts["ingest"]["ok"] is False
    assert parts["redis"]["calls_waiting"] == 1
    assert parts["redis"]["oldest_waiting_s"] >= 40


@pytest.mark.parametrize(("state", "status"), [("running", 200), ("done", 200), ("backoff", 503)])
def test_the_supervisors_word_counts(client, valkey, data, state, status):
    all_well(valkey)
    parts = {"web": {"state": state, "pid": 1, "restarts": 2, "since": "2026-11-22T00:00:00"}}
    (data / "supervisor.json").write_text(json.dumps({"pid": 1, "parts": parts}))

    assert client.get("/readyz").status_code == status


def test_only_loopback_or_the_token_may_ask(client, valkey, settings):
    settings.MONITORING_TOKEN = "let me see"
    elsewhere = {"REMOTE_ADDR": "10.1.2.3"}

    refused = client.get("/readyz", **elsewhere)
    wrong = client.get("/readyz", headers={"authorization": "Bearer let me"}, **elsewhere)
    right = client.get("/readyz", headers={"authorization": "Bearer let me see"}, **elsewhere)

    assert [each.status_code for each in (refused, wrong)] == [401, 401]
    assert right.status_code == 503
