"""What is said and recorded of calls that go wrong: a provider fails, or the client leaves."""

import asyncio
import json
import re
import time

import pytest

from apps.gateway.answers import STARTING


@pytest.mark.parametrize(
    ("switches", "status", "message", "recorded"),
    [
        ("status=400", 400, "status 400 as told", "provider status 400"),
        ("status=429&retry_after=7", 429, "status 429 as told", "provider status 429"),
        ("status=500&shape=tgi", 500, "status 500 as told", "provider status 500"),
        (
            "status=503&retry_after=7&shape=tgi",
            503,
            f"{STARTING} The provider says: status 503 as told",
            "provider status 503",
        ),
        ("status=422&shape=fastapi", 422, "status 422 as told", "provider status 422"),
        ("status=400&shape=mistral", 400, "status 400 as told", "provider status 400"),
        (
            "status=503&shape=html",
            503,
            STARTING,
            "provider status 503",
        ),
        (
            "status=401",
            502,
            "The model's provider refused PilotDash's request with status 401. "
            "An administrator has to look at its settings.",
            "provider status 401",
        ),
        (
            "status=302",
            502,
            "The model's provider refused PilotDash's request with status 302. "
            "An administrator has to look at its settings.",
            "provider status 302",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_providers_error_is_said_in_openais_shape(
    rig, switches, status, message, recorded, stream
):
    rig.route(f"theirs?{switches}")

    reply = await rig.chat(stream=stream)

    assert (reply.status, reply.error["message"]) == (status, message)
    assert set(reply.error) == {"message", "type", "code", "param"}
    waits = "7" if "retry_after" in switches else "5" if status == 503 else None
    assert reply.headers.get("retry-after") == waits
    record = rig.record()
    assert (record.outcome, record.status, record.error) == ("upstream_error", status, recorded)
    assert (record.usage_source, record.prompt_tokens, record.rateable) == ("none", None, False)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_is_down_is_a_502(rig, stream):
    rig.route("theirs", base_url="http://127.0.0.1:1/v1")

    reply = await rig.chat(stream=stream)

    assert (reply.status, reply.error["code"]) == (502, "provider_unreachable")
    record = rig.record()
    assert (record.outcome, record.status, record.error) == ("upstream_error", 502, "connect")


@pytest.mark.parametrize("hang", ["head", "first"])
async def test_a_silent_provider_is_a_504(hasty, hang):
    hasty.route(f"theirs?hang={hang}")

    reply = await hasty.chat(stream=True)

    assert (reply.status, reply.error["code"]) == (504, "provider_timeout")
    record = hasty.record()
    assert (record.outcome, record.error) == ("upstream_timeout", "first_byte")
    assert await closed_within_a_second(hasty)


async def test_a_provider_that_falls_silent_midway_ends_in_an_error_event(hasty):
    hasty.route("theirs?hang=mid")

    reply = await hasty.chat(stream=True)

    last = reply.body.split(b"data: ")[-1]
    assert json.loads(last)["error"]["code"] == "provider_timeout"
    assert (reply.status, reply.whole) == (200, True)
    assert (hasty.record().outcome, hasty.record().error) == ("upstream_timeout", "silence")


@pytest.mark.parametrize(
    ("switches", "outcome", "code", "message"),
    [
        (
            "cut_at=3",
            "stream_broken",
            "provider_unreachable",
            "The model's provider cannot be reached. Please try again later.",
        ),
        (
            "garbage_at=2",
            "stream_broken",
            "stream_broken",
            "The model's provider sent an event that cannot be read.",
        ),
        ("error_at=2", "upstream_error", None, "the model ran away"),
        ("error_at=2&error_shape=text", "upstream_error", "upstream_error", "the model ran away"),
    ],
)
async def test_a_stream_that_breaks_says_so(rig, switches, outcome, code, message):
    rig.route(f"theirs?events=5&{switches}")

    reply = await rig.chat(stream=True)

    last = json.loads(reply.body.split(b"data: ")[-1])["error"]
    assert (last.get("code"), last["message"]) == (code, message)
    assert b"[DONE]" not in reply.body
    assert b"Gr\xc3\xbc\xc3\x9fe" in reply.body
    assert (rig.record().outcome, reply.whole) == (outcome, True)


@pytest.mark.parametrize("switches", ["cut_at=3", "garbage_at=2", "usage=never&done=0&drop_end=1"])
async def test_what_passed_before_a_stream_broke_is_estimated(rig, switches):
    rig.route(f"theirs?events=5&{switches}")

    await rig.chat(stream=True)
    await rig.chat(stream=True, max_tokens=1)

    free, capped = rig.records()
    assert (free.outcome, free.usage_source) == ("stream_broken", "estimated")
    assert free.prompt_tokens == round(free.request_bytes / 4)
    written = len("Grüße aus".encode())
    if "drop_end" in switches:
        written = len('Grüße aus 东京 🎉 "quoted\\"'.encode())
    assert free.completion_tokens == round(written / 4)
    assert (capped.usage_source, capped.completion_tokens) == ("estimated", 1)


@pytest.mark.parametrize("switches", ["cut_at=1", "garbage_at=0", "error_at=2"])
async def test_a_failure_before_any_content_or_that_is_reported_is_not_estimated(rig, switches):
    rig.route(f"theirs?events=5&{switches}")

    await rig.chat(stream=True)

    record = rig.record()
    assert (record.usage_source, record.prompt_tokens, record.completion_tokens) == (
        "none",
        None,
        None,
    )


async def closed_within_a_second(rig) -> bool:
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        if rig.provider.seen[0].left is not None:
            return True
        await asyncio.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("switches", "stream"),
    [("hang=head", True), ("hang=head", False), ("hang=first", True), ("pace=30", False)],
)
async def test_the_upstream_is_closed_when_the_client_leaves_before_any_byte(rig, switches, stream):
    rig.route(f"theirs?{switches}")
    leave = asyncio.Event()
    calling = asyncio.create_task(rig.chat(stream=stream, leave=leave))
    await rig.asked()
    leave.set()

    reply = await calling

    assert await closed_within_a_second(rig)
    record = rig.record()
    assert (record.outcome, record.status, reply.status) == ("client_cancelled", 499, 0)
    assert (record.usage_source, record.completion_tokens) == ("estimated", 0)
    assert record.prompt_tokens == round(record.request_bytes / 4)
    assert not record.rateable


async def test_the_upstream_is_closed_when_the_client_leaves_midway(rig):
    rig.route("theirs?events=1000&pace=0.01")
    leave = asyncio.Event()

    reply = await rig.chat(
        stream=True,
        max_tokens=7,
        leave=leave,
        on_piece=lambda reply: leave.set() if len(reply.pieces) == 20 else None,
    )

    assert await closed_within_a_second(rig)
    record = rig.record()
    assert (record.outcome, record.status, reply.status) == ("client_cancelled", 499, 200)
    assert (record.usage_source, record.completion_tokens) == ("estimated", 7)  # the cap


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fault_of_our_own_is_said_and_recorded(rig, caplog, stream):
    # No table can hold half a character; whatever else goes wrong in our code goes the same way.
    rig.route("theirs\ud800")

    reply = await rig.chat(stream=stream)

    assert (reply.status, reply.error) == (
        500,
        {
            "message": "PilotDash failed while handling this call. It has been recorded.",
            "type": "api_error",
            "code": "internal_error",
            "param": None,
        },
    )
    record = rig.record()
    assert (record.outcome, record.status, record.error) == ("upstream_error", 500, "internal")
    assert (record.attempts, record.usage_source) == ((), "none")
    assert (rig.provider.seen, rig.service.slots.running) == ([], 0)
    (line,) = [one.getMessage() for one in caplog.records if one.name == "apps.gateway.relay"]
    assert re.fullmatch(rf"call {record.id} failed: \w+ at .+\.py:\d+", line)


async def test_a_fault_of_our_own_midway_ends_the_stream_with_an_error_event(rig):
    rig.route("theirs?events=9&pace=0.01")

    def fail_once(reply):
        if len(reply.pieces) == 3:
            raise RuntimeError("the server lost its head")

    reply = await rig.chat(stream=True, on_piece=fail_once)

    last = json.loads(reply.body.split(b"data: ")[-1])["error"]
    assert (last["code"], reply.status, reply.whole) == ("internal_error", 200, True)
    record = rig.record()
    assert (record.outcome, record.error) == ("stream_broken", "internal")
    assert [(one.status, one.error) for one in record.attempts] == [(200, "")]
    assert await closed_within_a_second(rig)
