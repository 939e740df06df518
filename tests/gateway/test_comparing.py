"""Calls that our own processes make for a comparison, with a token instead of a key."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.core.internal_tokens import derive_key, make_token
from apps.gateway.contract import LimitRoute
from apps.gateway.segments import ADMITTED
from tests.gateway.rig import CHAT, GOOD, TOKEN_KEY
from tests.gateway.stand_ins import ASKED, STAND_IN, lead

ANY = b'{"model":"whatever","messages":[{"role":"user","content":"hi"}]}'


def token(*, key=TOKEN_KEY, minutes=5, **more) -> str:
    granted = {
        "pilot_id": 1,
        "person_id": 77,
        "candidate_id": STAND_IN,
        "task": "chat",
        "alias": "compare",
        "expires_at": datetime.now(UTC) + timedelta(minutes=minutes),
    }
    return make_token(key, **(granted | more))


async def ask(rig, path=CHAT, body=ANY, **how):
    return await rig.request("POST", path, body, **how)


def limit(rig, *limits):
    table = rig.service.routes.table
    table.pilots[1] = replace(table.pilots[1], limits=limits)


async def test_a_token_is_answered_by_the_candidate_it_names_and_recorded_apart(rig):
    lead(rig, "theirs")

    reply = await ask(rig, key=token(task="agent"))

    record = rig.record()
    assert (reply.status, reply.json["model"]) == (200, "compare")
    assert reply.headers["x-pilotdash-candidate"] == "cand-12"
    assert (record.source, record.key_id, record.person_id) == ("compare", None, 77)
    assert (record.candidate_id, record.assigned_candidate_id) == (STAND_IN, None)
    assert (record.alias, record.task, record.outcome) == ("compare", "agent", "ok")
    assert not record.rateable
    assert json.loads(rig.provider.seen[0].body)["model"] == "other"


async def test_it_says_where_a_call_came_from_if_the_gateway_dies_under_it(rig):
    lead(rig, "theirs")

    await ask(rig, key=token())

    (admitted,) = rig.records(ADMITTED)
    assert (admitted.outcome, admitted.source) == ("crashed_unknown", "compare")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_rotating_candidate_answers_unmasked(rig, stream):
    lead(rig, "theirs", blind=(ASKED, STAND_IN))

    reply = await ask(rig, body=ANY[:-1] + b',"stream":true}' if stream else ANY, key=token())

    assert (reply.status, reply.headers["x-pilotdash-candidate"]) == (200, "cand-12")


@pytest.mark.parametrize(
    "bad",
    [
        lambda: token(minutes=-1),
        lambda: token(key=derive_key("not ours")),
        lambda: token()[:-2],
        lambda: "pdi_",
    ],
    ids=("expired", "forged", "cut", "empty"),
)
async def test_a_bad_token_is_refused(rig, bad):
    reply = await ask(rig, key=bad())

    assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")
    assert rig.provider.seen == []


async def test_a_gateway_that_has_no_key_to_tokens_takes_none(rig):
    rig.service.settings = replace(rig.service.settings, token_key=b"")

    assert (await ask(rig, key=token(key=b""))).status == 401


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/compare"])
async def test_a_token_opens_nothing_but_endpoints_of_models(rig, path):
    reply = await rig.request("GET", path, key=token())

    assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"pilot_id": 9}, 403, "pilot_not_open"),
        ({"pilot_id": 3}, 410, "pilot_not_open"),  # over
        ({"candidate_id": 99}, 404, "model_not_found"),
    ],
)
async def test_a_token_for_what_is_not_there_is_refused(rig, change, status, code):
    reply = await ask(rig, key=token(**change))

    assert (reply.status, reply.error["code"]) == (status, code)


async def test_a_paused_candidate_is_not_compared(rig):
    lead(rig, "theirs", state="paused")

    assert (await ask(rig, key=token())).error["code"] == "paused_model"


async def test_nobody_answers_in_a_compared_candidates_place(rig):
    lead(rig, "theirs?status=503&retry_after=9")

    reply = await ask(rig, key=token(candidate_id=ASKED))

    assert (reply.status, rig.record().candidate_id) == (503, ASKED)


async def test_a_task_nobody_knows_is_stored_as_another(rig):
    lead(rig, "theirs")

    await ask(rig, key=token(task="dance"))

    assert rig.record().task == "other"


async def test_limits_of_keys_do_not_hold_for_it_and_all_others_do(rig):
    lead(rig, "theirs")
    limit(
        rig,
        LimitRoute("key", None, 1),
        LimitRoute("person", 77, 3),
        LimitRoute("candidate", STAND_IN, 1),
    )

    replies = [await ask(rig, key=token()) for _ in range(2)]
    others = [await ask(rig, key=token(candidate_id=ASKED)) for _ in range(3)]
    another = await ask(rig, key=token(candidate_id=ASKED, person_id=78))

    assert [reply.status for reply in replies] == [200, 429]
    assert [reply.status for reply in others] == [200, 200, 429]
    assert another.status == 200
    assert replies[0].headers["x-ratelimit-limit-requests"] == "3"
    assert replies[1].error["message"] == (
        "The model 'compare' is at its limit. There is room again in 60 seconds."
    )


async def test_more_run_at_once_than_one_key_may_have(rig):
    lead(rig, "theirs")
    limit(rig, LimitRoute("key", at_once=1))
    taken = [rig.service.slots.taken(0, None) for _ in range(3)]

    for slot in taken:
        slot.__enter__()
    reply = await ask(rig, key=token())

    assert reply.status == 200


async def test_after_the_end_nothing_is_compared(rig):
    table = lead(rig, "theirs")
    pilot = table.pilots[1]
    over = replace(pilot, closes_at=datetime.now(UTC), after=pilot)
    table.pilots[1] = over

    assert (await ask(rig, key=token())).status == 410
    assert (await rig.request("POST", CHAT, GOOD)).status == 200
