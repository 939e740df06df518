"""Another candidate answers where the one that was asked cannot."""

import asyncio
import json
from dataclasses import replace

import pytest

from apps.gateway.segments import ADMITTED, parse
from tests.gateway.rig import CHAT, SEALED
from tests.gateway.stand_ins import ASKED, STAND_IN, attempts, lead, who

THIRD = 13


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        ("status=429", [429] * 3),
        ("status=502", [502] * 3),
        ("status=503", [503] * 3),
        ("status=504", [504] * 3),
        ("status=429&retry_after=60", [429]),
        ("reset=head", [None] * 3),
        ("reset=body", [200] * 3),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_stand_in_answers(rig, fault, tries, stream):
    lead(rig, f"theirs?{fault}")

    reply = await rig.chat(stream=stream)

    record = rig.record()
    assert (reply.status, record.outcome, record.error) == (200, "ok", "")
    assert who(record) == (STAND_IN, 6, ASKED)
    assert attempts(record) == [(ASKED, status) for status in tries] + [(STAND_IN, 200)]
    assert reply.headers["x-pilotdash-candidate"] == "cand-12"
    assert b'"model": "pilot-chat"' in reply.body
    assert (record.alias, record.prompt_tokens, record.rateable) == ("pilot-chat", 9, True)


async def test_the_request_is_written_for_the_stand_in(rig):
    lead(
        rig,
        "theirs?status=503&retry_after=9",
        provider={"stream_usage": "reject_option", "auth": "api_key", "credential": SEALED},
    )
    body = b'{"model":"pilot-chat", "stream":true,"messages":[ ]}'

    reply = await rig.request("POST", CHAT, body)

    asked, stood_in = rig.provider.seen
    assert asked.body == body.replace(
        b'"pilot-chat"',
        b'"theirs?status=503&retry_after=9","stream_options":{"include_usage":true}',
    )
    assert stood_in.body == body.replace(b"pilot-chat", b"other")
    assert "Authorization" not in stood_in.headers
    assert stood_in.headers["api-key"] == "sk-provider-secret"
    assert (reply.status, rig.record().usage_source) == (200, "estimated")


async def test_a_middle_is_rendered_for_a_stand_in_that_cannot_fill_in(rig):
    table = lead(
        rig,
        "theirs?status=503&retry_after=9",
        provider={"serves": ("completions",)},
        fim_template="<P>{prefix}<S>{suffix}<M>",
        fim_stops=("<P>",),
    )
    table.providers[5] = replace(table.providers[5], serves=("fim/completions",))
    body = b'{"model":"pilot-chat","prompt":"a","suffix":"b"}'

    reply = await rig.request("POST", "/v1/fim/completions", body)

    asked, stood_in = rig.provider.seen
    assert (asked.path, stood_in.path) == ("/v1/fim/completions", "/v1/completions")
    assert asked.body == body.replace(b"pilot-chat", b"theirs?status=503&retry_after=9")
    assert stood_in.body == b'{"model":"other","prompt":"<P>a<S>b<M>","stop":["<P>"]}'
    assert (reply.status, reply.json["object"]) == (200, "chat.completion")
    assert reply.json["choices"][0]["message"]["content"] == "Grüße aus 东京"
    assert who(rig.record()) == (STAND_IN, 6, ASKED)


@pytest.mark.parametrize("template", ["", "{prefix}{suffix}"])
async def test_a_middle_that_nobody_else_could_fill_in_is_not_stood_in_for(rig, template):
    provider = {"serves": ("completions",)}
    model = "theirs?status=503&retry_after=9"
    table = lead(rig, model, provider=provider, fim_template=template)
    table.providers[5] = replace(table.providers[5], serves=("fim/completions",))
    prompt = ["a"] if template else "a"

    reply = await rig.request(
        "POST",
        "/v1/fim/completions",
        json.dumps({"model": "pilot-chat", "prompt": prompt, "suffix": "b"}).encode(),
    )

    assert (reply.status, reply.headers["retry-after"]) == (503, "9")
    assert (who(rig.record()), len(rig.provider.seen)) == ((ASKED, 5, None), 1)


async def test_the_admitted_record_names_who_was_asked(rig):
    lead(rig, "theirs?reset=head")

    await rig.chat()

    lines = parse(rig.service.journal.segments[-1].path.read_bytes())
    (admitted,) = [json.loads(line.raw) for line in lines if line.kind == ADMITTED]
    assert (admitted["candidate_id"], admitted["provider_id"]) == (ASKED, 5)


async def test_a_certificate_that_does_not_verify_is_not_tried_again_but_stood_in_for(rig):
    table = lead(rig, "theirs")
    table.providers[5] = replace(
        table.providers[5], base_url=table.providers[5].base_url.replace("http:", "https:")
    )

    reply = await rig.chat()

    assert (reply.status, who(rig.record())) == (200, (STAND_IN, 6, ASKED))
    assert [(one.candidate_id, one.error) for one in rig.record().attempts] == [
        (ASKED, "tls"),
        (STAND_IN, ""),
    ]


@pytest.mark.parametrize("fault", ["status=500", "status=400", "status=401", "garbage_at=0"])
async def test_other_faults_are_not_stood_in_for(rig, fault):
    lead(rig, f"theirs?{fault}")

    await rig.chat(stream=True)

    assert who(rig.record()) == (ASKED, 5, None)
    assert len(rig.provider.seen) == 1


@pytest.mark.parametrize("hang", ["head", "first", "mid"])
async def test_a_silent_candidate_is_not_stood_in_for_since_it_may_be_generating(hasty, hang):
    lead(hasty, f"theirs?hang={hang}")

    await hasty.chat(stream=True)

    assert (hasty.record().outcome, who(hasty.record())) == ("upstream_timeout", (ASKED, 5, None))
    assert len(hasty.provider.seen) == 1


@pytest.mark.parametrize(
    "unfit",
    [
        {"state": "paused"},
        {"provider_id": 99},
        {"id": ASKED},
        {"provider": {"serves": ("embeddings",)}},
        {"blind": (ASKED,)},
    ],
)
async def test_who_may_not_stand_in_does_not(rig, unfit):
    lead(rig, "theirs?status=503&retry_after=9", **unfit)

    reply = await rig.chat()

    assert (reply.status, reply.headers["retry-after"]) == (503, "9")
    assert (who(rig.record()), len(rig.provider.seen)) == ((ASKED, 5, None), 1)


async def test_a_stand_in_that_left_the_table_does_not_answer(rig):
    del lead(rig, "theirs?status=429&retry_after=9").candidates[STAND_IN]

    assert (await rig.chat()).status == 429


async def test_a_blind_alias_is_answered_by_others_of_its_rotation(rig):
    lead(rig, "theirs?status=503&retry_after=9", blind=(ASKED, STAND_IN))

    reply = await rig.chat()

    assert (reply.status, who(rig.record())) == (200, (STAND_IN, 6, ASKED))


async def test_a_stand_in_that_fails_is_tried_again_and_has_the_last_word(rig):
    table = lead(rig, "theirs?reset=head", "other?status=429")
    # Its own stand-in is no matter, be it somebody else or the one that was asked.
    for number in (THIRD, ASKED):
        table.candidates[STAND_IN] = replace(table.candidates[STAND_IN], fallback_id=number)
        table.candidates[THIRD] = replace(table.candidates[ASKED], id=THIRD, upstream_model="third")

        reply = await rig.chat()

        record = rig.records()[-1]
        assert (reply.status, record.error) == (429, "provider status 429")
        assert reply.headers["x-pilotdash-candidate"] == "cand-12"
        assert (record.outcome, who(record)) == ("upstream_error", (STAND_IN, 6, ASKED))
        assert attempts(record)[-3:] == [(STAND_IN, 429)] * 3
        assert attempts(record)[:-3] == [(ASKED, None)] * (len(record.attempts) - 3)
        assert {json.loads(seen.body)["model"] for seen in rig.provider.seen} == {
            "theirs?reset=head",
            "other?status=429",
        }


async def test_what_the_stand_in_says_is_estimated_by_its_own_measure(rig):
    lead(rig, "other")
    rig.service.routes.table.pilots[1].aliases["direct"] = STAND_IN
    await rig.chat("direct", stream=True)
    lead(rig, "theirs?status=503&retry_after=9", "other?usage=never")

    await rig.chat(stream=True)

    learned, estimated = rig.records()
    assert (learned.candidate_id, learned.usage_source) == (STAND_IN, "provider")
    assert (who(estimated), estimated.usage_source) == ((STAND_IN, 6, ASKED), "estimated")
    expected = round(estimated.request_bytes / (learned.request_bytes / 9))
    assert (estimated.prompt_tokens, estimated.completion_tokens) == (expected, 3)


async def test_a_departure_while_the_stand_in_answers(rig):
    lead(rig, "theirs?reset=head", "other?events=1000&pace=0.01")
    leave = asyncio.Event()

    await rig.chat(stream=True, leave=leave, on_piece=lambda _: leave.set())

    record = rig.record()
    assert (record.outcome, who(record)) == ("client_cancelled", (STAND_IN, 6, ASKED))
    assert (attempts(record)[-1], record.usage_source) == ((STAND_IN, 200), "estimated")
