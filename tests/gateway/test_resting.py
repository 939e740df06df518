"""What developers notice of a provider that is being left alone."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from apps.gateway.access import authenticate, find_target
from apps.gateway.breaker import CLOSED, HALF_OPEN, OPEN
from apps.gateway.call import Call, Told
from apps.gateway.request import read_request
from tests.gateway.rig import GOOD, KEY
from tests.gateway.stand_ins import ASKED, STAND_IN, attempts, lead, who

SENTENCE = (
    "The model 'pilot-chat'{whose} has failed several times in a row, so PilotDash leaves it alone "
    "for a moment. Please try again in 1 s or choose another model."
)


def state(rig, provider: str = "fake") -> int:
    return rig.service.breakers.states(time.monotonic())[provider][0]


async def tire(rig, model: str = "theirs?status=500") -> None:
    """Let the provider fail five times in a row."""
    rig.route(model)
    for _ in range(5):
        await rig.chat()
    assert state(rig) == OPEN


async def test_it_is_not_asked_and_the_developer_is_told_for_how_long(rig):
    await tire(rig)
    rig.route("theirs")

    reply = await rig.chat()

    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.error == {
        "message": SENTENCE.format(whose=" at fake"),
        "type": "api_error",
        "code": "provider_resting",
        "param": None,
    }
    assert (len(rig.provider.seen), len(rig.records())) == (5, 5)
    assert [field for field in rig.service.refusals._waiting if "resting" in field] == [
        f"provider_resting:21:{time.strftime('%Y-%m-%d', time.gmtime())}"
    ]


async def test_of_a_blind_alias_nobody_learns_whose_provider_rests(rig):
    await tire(rig)
    lead(rig, "theirs", blind=(ASKED,))

    reply = await rig.chat()

    assert (reply.status, reply.error["message"]) == (503, SENTENCE.format(whose=""))


async def test_after_its_rest_one_call_tries_it_and_all_may_follow(rig):
    await tire(rig)
    rig.route("theirs?pace=0.3")
    await asyncio.sleep(1.0)
    assert state(rig) == HALF_OPEN

    first, *others = await asyncio.gather(*(rig.chat() for _ in range(4)))

    assert [one.status for one in (first, *others)] == [200, 503, 503, 503]
    assert {one.error["code"] for one in others} == {"provider_resting"}
    assert (state(rig), (await rig.chat()).status) == (CLOSED, 200)


async def test_a_stream_that_begins_lets_the_others_through(rig):
    await tire(rig)
    rig.route("theirs?events=100&pace=0.02")
    await asyncio.sleep(1.0)
    leave = asyncio.Event()
    begun = asyncio.Event()

    probe = asyncio.create_task(rig.chat(stream=True, leave=leave, on_piece=lambda _: begun.set()))
    await begun.wait()

    assert state(rig) == CLOSED
    rig.route("theirs")
    assert (await rig.chat()).status == 200
    leave.set()
    await probe


@pytest.mark.parametrize("end", ["departure", "busy"])
async def test_a_probe_that_tells_nothing_leaves_it_to_the_next_call(rig, end):
    await tire(rig)
    await asyncio.sleep(1.0)
    leave = asyncio.Event()
    if end == "departure":
        rig.route("theirs?hang=head")
    else:
        rig.route("theirs?status=503&retry_after=9")
    probe = asyncio.create_task(rig.chat(leave=leave))
    await rig.asked(6)
    if end == "departure":
        leave.set()
    await probe
    assert state(rig) == HALF_OPEN
    rig.route("theirs")

    reply = await rig.chat()

    assert (reply.status, state(rig)) == (200, CLOSED)


async def test_a_relapse_doubles_the_rest(rig):
    await tire(rig)
    await asyncio.sleep(1.0)

    assert (await rig.chat()).status == 500

    reply = await rig.chat()
    assert (reply.status, reply.headers["retry-after"]) == (503, "2")


async def test_attempts_end_where_a_rest_begins(rig):
    rig.route("theirs?reset=head")

    await rig.chat()
    reply = await rig.chat()

    assert [len(record.attempts) for record in rig.records()] == [3, 2]
    assert (reply.status, reply.error["code"], state(rig)) == (502, "provider_unreachable", OPEN)


@pytest.mark.parametrize(
    "model",
    ["theirs?status=400", "theirs?status=429&retry_after=9", "theirs?status=503&retry_after=9"],
)
async def test_what_does_not_count_never_brings_a_rest(rig, model):
    rig.route(model)
    for _ in range(8):
        await rig.chat()

    assert (state(rig), len(rig.provider.seen)) == (CLOSED, 8)


async def test_departures_do_not_count(rig):
    rig.route("theirs?hang=head")
    for number in range(6):
        leave = asyncio.Event()
        calling = asyncio.create_task(rig.chat(leave=leave))
        await rig.asked(number + 1)
        leave.set()
        await calling

    assert (state(rig), len(rig.provider.seen)) == (CLOSED, 6)


async def test_a_wrong_request_in_between_shows_that_it_lives(rig):
    for model in (*["theirs?status=500"] * 4, "theirs?status=400", *["theirs?status=500"] * 4):
        rig.route(model)
        await rig.chat()

    assert state(rig) == CLOSED


async def test_the_stand_in_answers_meanwhile_at_once(rig):
    await tire(rig)
    lead(rig, "theirs")

    reply = await rig.chat()

    record = rig.records()[-1]
    assert (reply.status, who(record)) == (200, (STAND_IN, 6, ASKED))
    assert attempts(record) == [(STAND_IN, 200)]
    assert (state(rig), state(rig, "elsewhere")) == (OPEN, CLOSED)


async def test_a_stand_in_that_rests_too_is_no_help(rig):
    lead(rig, "theirs?status=500", "other?status=500")
    rig.service.routes.table.pilots[1].aliases["direct"] = STAND_IN
    for alias in ("pilot-chat", "direct"):
        for _ in range(5):
            await rig.chat(alias)

    reply = await rig.chat()

    assert (reply.status, reply.error["code"]) == (503, "provider_resting")
    assert len(rig.provider.seen) == 10


async def test_other_providers_are_asked_as_ever(rig):
    await tire(rig)
    lead(rig, "theirs")
    rig.service.routes.table.pilots[1].aliases["direct"] = STAND_IN

    reply = await rig.chat("direct")

    assert (reply.status, who(rig.records()[-1])) == (200, (STAND_IN, 6, None))


async def test_a_call_that_was_let_in_just_before_ends_like_one_refused(rig):
    await tire(rig)
    table = rig.service.routes.table
    caller = authenticate({b"x-api-key": KEY.encode()}, table, datetime.now(UTC))
    target = find_target(caller, "pilot-chat", table, datetime.now(UTC))
    request = read_request(GOOD)
    call = Call(caller, target, request, "chat/completions", "chat", Told(), time.monotonic())

    setback = await rig.service.attempts.make(call, None, None)

    failure = setback.failure
    assert (failure.status, failure.code, failure.error) == (503, "provider_resting", "resting")
    assert failure.message == SENTENCE.format(whose=" at fake")
    assert setback.headers[1] == (b"retry-after", b"1")
    assert (call.tries, call.earlier, call.asked) == ([], (), None)
