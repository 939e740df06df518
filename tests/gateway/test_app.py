"""Refusals: in OpenAI's shape, counted and never stored. And what else the application answers."""

import asyncio
import json
import os
import time
from itertools import pairwise

import pytest

from apps.gateway.contract import REFUSALS_KEY
from tests.gateway.rig import CHAT, EXPIRED, GOOD, KEY, NOW


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        (b"", 400, "invalid_json", None),
        (b"{", 400, "invalid_json", None),
        (b"[]", 400, "invalid_json", None),
        (b'{"model":"pilot-chat","model":"x"}', 400, "invalid_json", None),
        (b'{"model":"pilot-chat","t":NaN}', 400, "invalid_json", None),
        (b'{"model":"pilot-chat","t":' + b"9" * 5_000 + b"}", 400, "invalid_json", None),
        (b'{"model":"pilot-chat","t":' + b"[" * 80 + b"]" * 80 + b"}", 400, "invalid_json", None),
        ('{"model":"pilot-chat"}'.encode("utf-16"), 400, "invalid_json", None),
        (b"{}", 400, "invalid_value", "model"),
        (b'{"model":null}', 400, "invalid_value", "model"),
        (b'{"model":["a"]}', 400, "invalid_value", "model"),
        (b'{"model":"' + b"x" * 300 + b'"}', 400, "invalid_value", "model"),
        (b'{"model":"pilot-chat","stream":"yes"}', 400, "invalid_value", "stream"),
        (b'{"model":"pilot-chat","stream_options":1}', 400, "invalid_value", "stream_options"),
        (b'{"model":"pilot-chat","n":9}', 400, "invalid_value", "n"),
        (b'{"model":"pilot-chat","n":0}', 400, "invalid_value", "n"),
        (
            b'{"model":"pilot-chat","messages":[' + b"1," * 2_000 + b"1]}",
            400,
            "invalid_value",
            "messages",
        ),
        (
            b'{"model":"pilot-chat","input":[' + b"{}," * 2_000 + b"{}]}",
            400,
            "invalid_value",
            "input",
        ),
        (b'{"model":"gpt-4o"}', 404, "model_not_found", "model"),
    ],
)
async def test_bodies_that_cannot_be_served_are_refused(rig, body, status, code, param):
    reply = await rig.request("POST", CHAT, body)

    assert (reply.status, reply.error["code"], reply.error["param"]) == (status, code, param)
    assert reply.error["message"]
    assert (rig.records(), rig.provider.seen, rig.service.slots.running) == ([], [], 0)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x", {"content-length": str(11 << 20)}, 413),
        ([b" " * (1 << 20)] * 11, {"content-length": "5"}, 413),  # a length that lies
        ([b" " * (1 << 20)] * 11, {}, 413),
        (b"x", {"content-encoding": "gzip"}, 415),
        (GOOD, {"x-filler": "x" * 33_000}, 431),
        (GOOD, {"x-pilotdash-task": "cooking"}, 400),
    ],
    ids=("length", "lying length", "no length", "gzip", "headers", "task"),
)
async def test_requests_beyond_the_limits_are_refused_in_json(rig, body, headers, status):
    reply = await rig.request("POST", CHAT, body, headers)

    assert (reply.status, set(reply.error)) == (status, {"message", "type", "code", "param"})


async def test_a_body_of_ten_megabytes_is_served_without_stopping_the_others(rig):
    rig.route("theirs?events=100&pace=0.005")
    content = json.dumps('x\\n"é' * 1_400_000)
    body = b'{"model":"pilot-chat","messages":[{"role":"user","content":%b}]}' % content.encode()
    arrivals: list[float] = []
    small = asyncio.create_task(
        rig.chat(stream=True, on_piece=lambda _: arrivals.append(time.monotonic()))
    )
    await asyncio.sleep(0.1)

    reply = await rig.request("POST", CHAT, body[: 10 << 20])
    await small

    assert reply.status in (200, 400)
    assert max(b - a for a, b in pairwise(arrivals)) < 0.5


async def test_a_body_that_does_not_arrive_is_given_up(rig):
    never = asyncio.Event()

    async def receive():
        await never.wait()

    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {KEY}".encode())]
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": headers}
    await rig.gateway(scope, receive, send)

    assert sent[0]["status"] == 408
    assert rig.service.slots.running == 0


async def test_a_client_that_leaves_before_its_request_is_complete_is_no_call(rig):
    async def receive():
        return {"type": "http.disconnect"}

    sent: list[dict] = []

    async def send(message):
        sent.append(message)

    headers = [(b"authorization", f"Bearer {KEY}".encode())]
    scope = {"type": "http", "method": "POST", "path": CHAT, "headers": headers}
    await rig.gateway(scope, receive, send)

    # Nobody reads this, unless the server only took a broken chunk for a departure.
    assert [message.get("status") for message in sent] == [400, None]
    assert (rig.records(), rig.service.slots.running) == ([], 0)


async def test_models_are_the_pilots_aliases(rig):
    listed = await rig.request("GET", "/v1/models")
    one = await rig.request("GET", "/t/chat/v1/models/pilot-chat")
    none = await rig.request("GET", "/v1/models/theirs")

    model = {
        "id": "pilot-chat",
        "object": "model",
        "created": int(rig.service.routes.table.pilots[1].opens_at.timestamp()),
        "owned_by": "pilotdash",
    }
    assert listed.json == {"object": "list", "data": [model]}
    assert one.json == model
    assert (none.status, none.error["code"]) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/fim/completions", 404),
        ("POST", "/v1/rerank", 404),
        ("POST", "/v1/responses", 404),
        ("POST", "/v1/messages", 404),
        ("POST", "/v1/messages/count_tokens", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", CHAT, 405),
        ("POST", "/v1/models", 405),
        ("POST", "/t/cooking/v1/chat/completions", 404),
        ("POST", "/t/chat/chat/completions", 404),
        ("POST", "/t/", 404),
        ("POST", "/chat/completions", 404),
        ("GET", "/chat/completions", 404),
        ("GET", "/v1", 404),
        ("GET", "//v1/models", 404),
        ("POST", "//v1/feedback", 404),
        ("POST", "/v1/feedback/", 404),
        ("GET", "///v1", 404),
        ("GET", "//t/chat/v1/models", 404),
        ("GET", "/t", 404),
        ("POST", "/t/cooking/v1/feedback", 404),
        ("POST", "//ingest/continue", 404),
    ],
)
async def test_other_paths_of_the_api_are_refused_in_json(rig, method, path, status):
    reply = await rig.request(method, path, GOOD)

    assert (reply.status, set(reply.error)) == (status, {"message", "type", "code", "param"})


@pytest.mark.parametrize("target", ["*", "@evil.example/", "evil.example:443", ""])
async def test_a_target_that_is_no_path_is_refused(rig, target):
    reply = await rig.request("OPTIONS", target, key="")

    assert (reply.status, reply.error["code"]) == (400, "invalid_target")


async def test_refusals_are_counted_by_reason_key_and_day(rig, valkey):
    for _ in range(3):
        await rig.request("POST", CHAT, GOOD, key="wrong")
    await rig.request("POST", CHAT, b"{}")
    await rig.request("POST", CHAT, GOOD, key=EXPIRED)

    await rig.service.refusals.flush()

    today = f"{NOW:%Y-%m-%d}"
    found = {name.decode(): int(count) for name, count in valkey.hgetall(REFUSALS_KEY).items()}
    assert found == {
        f"bad_key:-:{today}": 3,
        f"malformed:21:{today}": 1,
        f"expired_key:22:{today}": 1,
    }


async def test_healthz_is_alive_and_nothing_more(rig):
    reply = await rig.request("GET", "/healthz", key="")

    assert (reply.status, reply.body) == (200, b"ok")


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.9", {}, 401),
        ("::ffff:127.0.0.1", {}, 200),
        ("::ffff:10.0.0.9", {}, 401),
        ("10.0.0.9", {"authorization": "Bearer monitor"}, 200),
        ("10.0.0.9", {"authorization": "Bearer wrong"}, 401),
        # A proxy on this machine speaks for somebody else.
        ("127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 401),
        ("127.0.0.1", {"x-forwarded-for": ""}, 401),
        ("127.0.0.1", {"forwarded": "for=127.0.0.1"}, 401),
        ("127.0.0.1", {"x-real-ip": "127.0.0.1"}, 401),
        ("127.0.0.1", [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "")], 401),
    ],
)
async def test_metrics_are_for_this_machine_or_the_monitor(rig, client, headers, status):
    reply = await rig.request("GET", "/metrics", headers=headers, key="", client=client)

    assert reply.status == status
    assert (b"pilotdash_calls_running" in reply.body) is (status == 200)


async def test_websockets_are_refused(rig):
    sent: list[dict] = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await rig.gateway({"type": "websocket", "path": "/v1/realtime"}, receive, send)

    assert sent == [{"type": "websocket.close", "code": 1000}]


async def test_calls_are_refused_when_they_cannot_be_recorded(rig, monkeypatch):
    real = os.dup(rig.service.journal._file)
    os.dup2(os.open("/dev/full", os.O_WRONLY), rig.service.journal._file)
    monkeypatch.setattr(rig.service.ledger._connection, "_url", "redis://127.0.0.1:1/0")
    rig.service.ledger._connection.close()

    reply = await rig.request("POST", CHAT, GOOD)

    os.dup2(real, rig.service.journal._file)
    assert (reply.status, reply.error["code"], reply.headers["retry-after"]) == (
        503,
        "not_recordable",
        "5",
    )
    assert rig.provider.seen == []
