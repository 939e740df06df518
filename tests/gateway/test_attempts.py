"""Which failures are tried again, at whom, how often, and what each of them comes to."""

import asyncio
import time

import pytest

from apps.gateway.answers import STARTING
from apps.gateway.upstream import Timeouts
from tests.fakes.provider import Script, answer_of, events_of
from tests.gateway.rig import CHAT, running

DOWN = "http://127.0.0.1:1/v1"


def failures(rig) -> int:
    """Return how many failures in a row the provider is known for."""
    trouble = rig.service.breakers._troubles.get(5)
    return trouble.failures if trouble else 0


def attempts(record) -> list[tuple[int | None, str]]:
    return [(one.status, one.error) for one in record.attempts]


@pytest.mark.parametrize(
    ("model", "tries", "status", "code", "counted"),
    [
        # Nothing came of it, and it may be gone in a moment: three attempts.
        ("theirs?reset=head", [(None, "connect")] * 3, 502, "provider_unreachable", 3),
        ("theirs?reset=body", [(200, "broken")] * 3, 502, "provider_unreachable", 3),
        ("theirs?status=429", [(429, "")] * 3, 429, "y", 0),
        ("theirs?status=502", [(502, "")] * 3, 502, "y", 3),
        ("theirs?status=503", [(503, "")] * 3, 503, "model_starting", 0),
        ("theirs?status=504", [(504, "")] * 3, 504, "y", 3),
        # It would be the same again, or was not the provider's fault.
        ("theirs?status=500", [(500, "")], 500, "y", 1),
        ("theirs?status=501", [(501, "")], 501, "y", 0),
        ("theirs?status=529", [(529, "")], 529, "y", 0),
        ("theirs?status=400", [(400, "")], 400, "y", 0),
        ("theirs?status=404", [(404, "")], 404, "y", 0),
        ("theirs?status=408", [(408, "")], 408, "y", 0),
        ("theirs?status=401", [(401, "")], 502, "provider_refused", 0),
        ("theirs?status=302", [(302, "")], 502, "provider_refused", 0),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_each_failure_comes_to(rig, model, tries, status, code, counted, stream):
    rig.route(model)

    reply = await rig.chat(stream=stream)

    assert (reply.status, reply.error["code"]) == (status, code)
    record = rig.record()
    assert (record.outcome, record.status) == ("upstream_error", status)
    assert (attempts(record), failures(rig)) == (tries, counted)
    assert {one.candidate_id for one in record.attempts} == {record.candidate_id} == {11}
    assert (record.usage_source, record.assigned_candidate_id) == ("none", None)


@pytest.mark.parametrize(
    ("provider", "tries", "recorded", "counted"),
    [
        ({"base_url": DOWN}, [(None, "connect")] * 3, "connect", 3),
        # A certificate does not get better in a moment, but the provider is out of reach.
        ({"base_url": "https://127.0.0.1:{port}/v1"}, [(None, "tls")], "tls", 1),
        # These are ours.
        ({"credential": "sealed with another key"}, [], "credential", 0),
        ({"base_url": "http://[fe80::1]/v1"}, [], "address", 0),
    ],
)
async def test_a_provider_out_of_reach(rig, provider, tries, recorded, counted):
    port = rig.service.routes.table.providers[5].base_url.split(":")[2].split("/")[0]
    rig.route("theirs", **{name: value.format(port=port) for name, value in provider.items()})

    reply = await rig.chat()

    assert (reply.status, reply.error["code"]) == (502, "provider_unreachable")
    record = rig.record()
    assert (record.outcome, record.error) == ("upstream_error", recorded)
    assert (attempts(record), failures(rig)) == (tries, counted)


async def test_a_stream_that_ends_before_it_begins_is_tried_again(rig):
    rig.route("theirs?empty=1")

    reply = await rig.chat(stream=True)

    assert (reply.status, reply.error["code"]) == (502, "provider_unreachable")
    assert (attempts(rig.record()), failures(rig)) == ([(200, "broken")] * 3, 3)


@pytest.mark.parametrize(
    ("switches", "outcome", "error", "status"),
    [
        ("hang=head", "upstream_timeout", (None, "first_byte"), 504),
        ("hang=first", "upstream_timeout", (200, "first_byte"), 504),
        ("hang=mid", "upstream_timeout", (200, "silence"), 200),
        ("events=999&pace=0.05", "upstream_timeout", (200, "whole"), 200),
        ("cut_at=2&pace=0.02", "stream_broken", (200, "broken"), 200),
    ],
)
async def test_what_may_have_generated_is_not_tried_again(hasty, switches, outcome, error, status):
    hasty.route(f"theirs?{switches}")

    reply = await hasty.chat(stream=True)

    record = hasty.record()
    assert (reply.status, record.outcome, attempts(record)) == (status, outcome, [error])
    assert failures(hasty) == 1


@pytest.mark.parametrize(
    "switches", ["garbage_at=2", "error_at=0", "usage=never&done=0&drop_end=1"]
)
async def test_a_stream_that_the_provider_itself_spoils_says_nothing_of_its_health(rig, switches):
    rig.route(f"theirs?{switches}")

    await rig.chat(stream=True)

    assert (attempts(rig.record()), failures(rig)) == ([(200, "")], 0)


@pytest.mark.parametrize("fault", ["status=503", "status=429", "reset=head", "reset=body"])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_at_a_later_attempt_is_one_like_any_other(rig, fault, stream):
    rig.route(f"theirs?{fault}&times=2")

    reply = await rig.chat(stream=stream)

    record = rig.record()
    assert (reply.status, record.outcome, record.status) == (200, "ok", 200)
    assert attempts(record)[2] == (200, "")
    assert len(record.attempts) == 3
    assert (record.prompt_tokens, record.usage_source, record.error) == (9, "provider", "")
    first, second, third = record.attempts
    assert first.ended_ms <= second.started_ms - 10
    assert second.ended_ms <= third.started_ms - 20
    assert third.ended_ms <= record.first_byte_ms <= record.total_ms
    # What the errors weighed is not counted.
    model, script = f"theirs?{fault}&times=2", Script(usage="on_request")
    events = b"".join(events_of(script, CHAT, model, asked=True))
    assert record.response_bytes == len(events if stream else answer_of(script, CHAT, model))


async def test_four_attempts_are_not_made(rig):
    rig.route("theirs?status=503&times=3")

    reply = await rig.chat()

    assert (reply.status, len(rig.provider.seen)) == (503, 3)


async def test_a_short_retry_after_is_honored(rig):
    rig.route("theirs?status=429&retry_after=1&times=1")

    reply = await rig.chat()

    first, second = rig.record().attempts
    assert reply.status == 200
    assert 1_000 <= second.started_ms - first.ended_ms < 1_500


@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_retry_after_is_the_developers_to_honor(rig, status):
    rig.route(f"theirs?status={status}&retry_after=6&times=1")

    reply = await rig.chat()

    assert (reply.status, reply.headers["retry-after"]) == (status, "6")
    assert (attempts(rig.record()), len(rig.provider.seen)) == ([(status, "")], 1)


async def test_a_limit_of_the_provider_always_says_how_long(rig):
    rig.route("theirs?status=429")

    reply = await rig.chat()

    assert (reply.status, reply.headers["retry-after"]) == (429, "5")


@pytest.mark.parametrize(("told", "waits"), [("", "5"), ("&retry_after=9", "9")])
async def test_a_model_that_is_starting_is_said_to(rig, told, waits):
    rig.route(f"theirs?status=503&shape=html{told}")

    reply = await rig.chat()

    assert (reply.status, reply.error["message"]) == (503, STARTING)
    assert reply.headers["retry-after"] == waits


async def test_all_attempts_share_one_limit_for_the_first_byte(tmp_path, valkey):
    async with running(tmp_path, timeouts=Timeouts(first_byte=1.5)) as rig:
        rig.route("theirs?status=503&retry_after=1&times=1&then=head")

        began = time.monotonic()
        reply = await rig.chat()

        assert 1.4 < time.monotonic() - began < 2.0
        assert (reply.status, reply.error["code"]) == (504, "provider_timeout")
        assert attempts(rig.record()) == [(503, ""), (None, "first_byte")]


async def test_there_is_no_wait_beyond_the_limit_for_the_first_byte(hasty):
    hasty.route("theirs?status=503&retry_after=1")

    began = time.monotonic()
    reply = await hasty.chat()

    assert time.monotonic() - began < 0.3
    assert (reply.status, attempts(hasty.record())) == (503, [(503, "")])


@pytest.mark.parametrize("stream", [False, True])
async def test_a_departure_ends_the_wait_at_once(rig, stream):
    rig.route("theirs?status=503&retry_after=5")
    leave = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, leave.set)

    began = time.monotonic()
    reply = await rig.chat(stream=stream, leave=leave)

    assert time.monotonic() - began < 1.0
    record = rig.record()
    assert (record.outcome, record.status, reply.starts) == ("client_cancelled", 499, 0)
    assert (attempts(record), record.usage_source) == ([(503, "")], "none")
    assert (len(rig.provider.seen), rig.service.slots.running) == (1, 0)


async def test_a_connection_that_was_dead_when_it_was_used_is_no_attempt(rig):
    await rig.chat()
    rig.provider.drop_next_reused = True
    rig.route("theirs?status=503&times=2")

    reply = await rig.chat()

    assert reply.status == 200
    assert attempts(rig.records()[1]) == [
        (None, "dead_connection"),
        (503, ""),
        (503, ""),
        (200, ""),
    ]
