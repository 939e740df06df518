"""What is counted of a call, and that all workers of a server are counted together."""

import asyncio
import json
import re
import socket
import urllib.request
from collections import Counter
from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from apps.gateway import meters, metrics
from apps.gateway.contract import UNSEEDED_KEY, Attempt
from tests.gateway.live import running_live, until
from tests.gateway.records import admitted
from tests.gateway.rig import CHAT, GOOD, KEY

SAMPLE = re.compile(r"^(\w+)(?:\{(.*?)\})? ([0-9.e+-]+)$", re.MULTILINE)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class Change:
    """How much the samples have grown since."""

    def __init__(self, *samples: tuple[str, dict[str, str]]) -> None:
        self.before = [(name, labels, value(name, **labels)) for name, labels in samples]

    @property
    def grown(self) -> list[float]:
        return [value(name, **labels) - before for name, labels, before in self.before]


def count(candidate: str, assigned: str | None = None, **fields) -> None:
    ended = admitted(**fields)
    meters.count_call(ended, candidate, assigned, seconds=0.3, first_content=0.1)
    meters.hand_over()


def test_a_call_is_counted_by_candidate_outcome_and_status():
    fields = {"candidate": "m-1", "outcome": "ok", "status": "200"}
    change = Change(
        ("pilotdash_calls_total", fields),
        ("pilotdash_tokens_total", {"candidate": "m-1", "kind": "prompt"}),
        ("pilotdash_tokens_total", {"candidate": "m-1", "kind": "cached"}),
        ("pilotdash_tokens_total", {"candidate": "m-1", "kind": "completion"}),
        ("pilotdash_call_seconds_count", {"candidate": "m-1"}),
        ("pilotdash_call_seconds_bucket", {"candidate": "m-1", "le": "0.2"}),
        ("pilotdash_call_seconds_bucket", {"candidate": "m-1", "le": "0.4"}),
        ("pilotdash_first_content_seconds_bucket", {"candidate": "m-1", "le": "0.1"}),
        ("pilotdash_overhead_seconds_count", {}),
        ("pilotdash_retries_total", {"candidate": "m-1"}),
    )

    count(
        "m-1",
        outcome="ok",
        status=200,
        overhead_us=300,
        prompt_tokens=9,
        cached_tokens=4,
        completion_tokens=3,
        attempts=(Attempt(11, 0, 5, 200),),
    )

    assert change.grown == [1, 9, 4, 3, 1, 0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    ("status", "told"), [(None, "none"), (429, "429"), (418, "4xx"), (599, "5xx"), (206, "2xx")]
)
def test_no_provider_makes_a_series_of_its_own(status, told):
    fields = {"candidate": "m-2", "outcome": "upstream_error", "status": told}
    change = Change(("pilotdash_calls_total", fields))

    count("m-2", outcome="upstream_error", status=status)
    count("m-2", outcome="upstream_error", status=status)

    assert change.grown == [2]


@pytest.mark.parametrize(
    ("assigned", "attempts", "grown"),
    [
        (None, (11,), [0, 0, 0]),
        (None, (11, 11, 11), [2, 0, 0]),
        (None, (0, 11), [0, 0, 0]),  # 0 stands for a dead connection, which was replaced
        (None, (0, 11, 0, 11), [1, 0, 0]),
        (12, (12, 11), [0, 0, 1]),
        (12, (12, 12, 12, 11, 11), [1, 2, 1]),
        (12, (11,), [0, 0, 1]),  # who was assigned rested, so it was not even tried
    ],
)
def test_retries_and_fallbacks_are_counted_where_they_were_needed(assigned, attempts, grown):
    change = Change(
        ("pilotdash_retries_total", {"candidate": "m-3"}),
        ("pilotdash_retries_total", {"candidate": "m-4"}),
        ("pilotdash_fallbacks_total", {"candidate": "m-4"}),
    )

    count(
        "m-3",
        "m-4" if assigned else None,
        assigned_candidate_id=assigned,
        attempts=tuple(
            Attempt(one or 11, 0, 5, 502, "" if one else "dead_connection") for one in attempts
        ),
    )

    assert change.grown == grown


def test_what_the_limiter_counted_is_taken_over_once():
    change = Change(
        ("pilotdash_limit_checks_total", {"by": "redis"}),
        ("pilotdash_limit_checks_total", {"by": "process"}),
        ("pilotdash_limit_refusals_total", {"limit": "requests"}),
        ("pilotdash_limit_refusals_total", {"limit": "money_unknown"}),
        ("pilotdash_limit_refusals_total", {"limit": "money"}),
        ("pilotdash_limit_warnings_total", {}),
    )
    counts = Counter(together=5, alone=4, refused_r=3, money_unknown=2, warned=1)
    counts.update({"refused_m": 6, "refused_p": 7})

    metrics.count_limits(counts)
    metrics.count_limits(counts)

    assert change.grown == [5, 4, 3, 2, 13, 1]


async def test_the_limiters_state_is_told(rig, valkey):
    valkey.sadd(UNSEEDED_KEY, "one", "two")
    change = Change(("pilotdash_limit_checks_total", {"by": "redis"}))

    await rig.chat()
    async with asyncio.timeout(5):
        while value("pilotdash_limiter_unseeded") != 2:
            await asyncio.sleep(0.05)
    rig.service._set_gauges()

    assert (change.grown, value("pilotdash_limiter_local")) == ([1], 0)
    rig.service.limiter.part("the test")
    rig.service._set_gauges()
    assert value("pilotdash_limiter_local") == 1


def test_a_provider_that_is_gone_counts_as_closed():
    metrics.set_breakers({"here": 1, "gone": 2})
    metrics.set_breakers({"here": 2})

    assert value("pilotdash_provider_breaker", provider="here") == 2
    assert value("pilotdash_provider_breaker", provider="gone") == 0


async def test_the_gauges_tell_how_the_process_is(rig):
    rig.service.routes.table = replace(rig.service.routes.table, version=77)

    rig.service._set_gauges()

    assert value("pilotdash_routes_version") == 77
    assert 0 <= value("pilotdash_routes_age_seconds") < 3_600
    assert value("pilotdash_provider_breaker", provider="fake") == 0
    assert value("pilotdash_calls_running") == 0


async def test_refusals_are_counted_by_reason_alone(rig):
    change = Change(("pilotdash_refusals_total", {"reason": "bad_key"}))

    for number in range(20):
        await rig.request("POST", CHAT, GOOD, key=f"unknown-{number}")

    assert change.grown == [20]


def read_metrics(url: str) -> dict[tuple[str, str], float]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {(name, labels): float(number) for name, labels, number in SAMPLE.findall(text)}


def test_all_workers_are_counted_together_and_everything_has_help(tmp_path, valkey):
    with running_live(tmp_path, valkey, {"plain": "theirs"}, GATEWAY_WORKERS="2") as live:
        body = json.dumps({"model": "plain", "messages": []}).encode()
        for _ in range(30):
            with live.send(body) as connection:
                assert b" 200 " in connection.recv(4_096)[:20]
        with socket.create_connection(("127.0.0.1", live.port), 10) as connection:
            connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b" 401 " in connection.recv(4_096)[:20]

        # The other worker hands over what it has counted within a second.
        until(lambda: read_metrics(live.url)["pilotdash_overhead_seconds_count", ""] == 30)
        found = read_metrics(live.url)
        until(lambda: read_metrics(live.url)["pilotdash_routes_version", ""] == 7)
        until(lambda: read_metrics(live.url)["pilotdash_shipping_connected", ""] == 1)
        with urllib.request.urlopen(f"{live.url}/metrics", timeout=10) as answer:
            text = answer.read().decode()

    labels = 'candidate="cand-11",outcome="ok",status="200"'
    assert found["pilotdash_calls_total", labels] == 30
    assert found["pilotdash_tokens_total", 'candidate="cand-11",kind="completion"'] == 90
    assert found["pilotdash_overhead_seconds_count", ""] == 30
    assert found["pilotdash_refusals_total", 'reason="bad_key"'] == 1
    assert found["pilotdash_provider_breaker", 'provider="fake"'] == 0
    families = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\w+) (.+)$", text, re.MULTILINE))
    assert {name for name in families if not name.startswith("pilotdash_")} == set()
    assert families == set(helps)
    assert KEY not in text
