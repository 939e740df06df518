"""Blind aliases: whose turn it is today, who answers instead, and what the record says of both."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.core.rotation import Era, order_of, working_day
from apps.gateway.turns import day_in, turns
from tests.gateway.rig import DAY, NOW
from tests.gateway.stand_ins import taking_turns, who

PERSON = 31
TODAY = working_day(NOW, ZoneInfo("UTC"))
TURNS = order_of(taking_turns(11, 12, 13).eras, seed="seed", person_id=PERSON, day=TODAY)


def rotating(rig, *, swaps=None, eras=None, paused=(), ids=(11, 12, 13), **pilot):
    """Let three candidates of one provider take turns behind pilot-blind, beside pilot-chat."""
    rig.route("theirs")
    table = rig.service.routes.table
    for number in ids:
        state = "paused" if number in paused else "active"
        table.candidates[number] = replace(
            table.candidates[11], id=number, slug=f"cand-{number}", state=state
        )
    rotation = taking_turns(*ids, **(swaps or {}))
    if eras is not None:
        rotation = replace(rotation, eras=eras)
    blind = {"pilot-blind": rotation}
    table.pilots[1] = replace(table.pilots[1], blind=blind, aliases={"pilot-chat": 11}, **pilot)
    return table


async def test_the_one_whose_turn_it_is_answers(rig):
    rotating(rig)

    reply = await rig.chat("pilot-blind")

    assert (reply.status, reply.json["model"]) == (200, "pilot-blind")
    assert who(rig.record()) == (TURNS[0], 5, None)
    assert "x-pilotdash-candidate" not in reply.headers


@pytest.mark.parametrize("paused", [1, 2])
async def test_the_next_in_order_answers_for_those_that_are_paused(rig, paused):
    rotating(rig, paused=TURNS[:paused])

    assert (await rig.chat("pilot-blind")).status == 200
    assert who(rig.record()) == (TURNS[paused], 5, TURNS[0])


async def test_the_next_in_order_answers_for_those_that_are_left_out(rig):
    table = rotating(rig)
    rotation = replace(table.pilots[1].blind["pilot-blind"], left_out=TURNS[:2])
    table.pilots[1].blind["pilot-blind"] = rotation

    assert (await rig.chat("pilot-blind")).status == 200
    assert who(rig.record()) == (TURNS[2], 5, TURNS[0])


async def test_the_next_in_order_answers_for_one_that_left_the_table(rig):
    del rotating(rig).candidates[TURNS[0]]

    assert (await rig.chat("pilot-blind")).status == 200
    assert who(rig.record()) == (TURNS[1], 5, TURNS[0])


async def test_when_all_are_paused_nobody_answers_and_nobody_is_named(rig):
    rotating(rig, paused=TURNS)

    reply = await rig.chat("pilot-blind")

    assert (reply.status, reply.error["message"]) == (
        503,
        "The model 'pilot-blind' is paused by an administrator of the pilot.",
    )
    assert rig.records() == []


async def test_whoever_was_chosen_for_the_day_answers(rig):
    rotating(rig, swaps={f"{PERSON}:{TODAY}": TURNS[2]})

    assert (await rig.chat("pilot-blind")).status == 200
    assert who(rig.record()) == (TURNS[2], 5, TURNS[0])


@pytest.mark.parametrize(
    "swap", [f"{PERSON}:{TODAY - DAY * 7}", f"{PERSON + 1}:{TODAY}", f"{PERSON}:{TODAY + DAY * 7}"]
)
async def test_a_choice_of_another_day_or_person_changes_nothing(rig, swap):
    rotating(rig, swaps={swap: TURNS[2]})

    await rig.chat("pilot-blind")

    assert who(rig.record()) == (TURNS[0], 5, None)


async def test_when_the_chosen_one_is_paused_the_one_sent_away_is_the_last_resort(rig):
    rotating(rig, swaps={f"{PERSON}:{TODAY}": TURNS[2]}, paused=TURNS[2:])
    await rig.chat("pilot-blind")
    rotating(rig, swaps={f"{PERSON}:{TODAY}": TURNS[2]}, paused=TURNS[1:])
    await rig.chat("pilot-blind")

    assert [who(one) for one in rig.records()] == [(TURNS[1], 5, TURNS[0]), (TURNS[0], 5, None)]


@pytest.mark.parametrize(("first_day", "status"), [((2024, 1, 1), 503), ((2099, 1, 5), 200)])
async def test_a_stand_in_answers_only_if_it_takes_turns_today(rig, first_day, status):
    eras = (Era(date(2023, 1, 2), (11, 12, 13, 14)), Era(date(*first_day), (11, 12, 13)))
    table = rotating(rig, eras=eras)
    table.providers[6] = replace(table.providers[5], id=6, slug="elsewhere")
    for number in (11, 12, 13):
        table.candidates[number] = replace(
            table.candidates[number], upstream_model="theirs?status=503", fallback_id=14
        )
    table.candidates[14] = replace(table.candidates[11], id=14, upstream_model="b", provider_id=6)
    assigned = order_of(eras, seed="seed", person_id=PERSON, day=TODAY)[0]

    assert (await rig.chat("pilot-blind")).status == status
    answered = (14, 6, None if assigned == 14 else assigned)
    assert who(rig.record()) == (answered if status == 200 else (assigned, 5, None))


async def test_blind_aliases_stand_among_the_models(rig):
    rotating(rig)

    listed = await rig.request("GET", "/v1/models")
    one = await rig.request("GET", "/v1/models/pilot-blind")

    created = int(rig.service.routes.table.pilots[1].opens_at.timestamp())
    both = [
        {"id": name, "object": "model", "created": created, "owned_by": "pilotdash"}
        for name in ("pilot-blind", "pilot-chat")
    ]
    assert (listed.json, one.json) == ({"object": "list", "data": both}, both[0])


@pytest.mark.parametrize("eras", [(), (Era(TODAY + 14 * DAY, (11,)),), (Era(TODAY, ()),)])
async def test_an_alias_that_nobody_stands_behind_yet_is_no_model(rig, eras):
    rotating(rig, eras=eras)

    reply = await rig.chat("pilot-blind")
    listed = await rig.request("GET", "/v1/models")

    assert (reply.status, reply.error["message"]) == (
        404,
        "The pilot autumn has no model 'pilot-blind'. Its models: pilot-chat.",
    )
    assert [model["id"] for model in listed.json["data"]] == ["pilot-chat"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Australia/Eucla", "America/St_Johns"])
@pytest.mark.parametrize("seconds", [0, 1, 899, 900, 40_000])
def test_the_day_of_a_quarter_is_that_of_each_of_its_instants(zone, seconds):
    for hour in range(24):
        now = datetime(2026, 3, 29, hour, tzinfo=UTC) + timedelta(seconds=seconds)

        assert day_in(zone, now) == working_day(now, ZoneInfo(zone))


def test_a_swap_for_whom_the_day_had_assigned_is_none():
    rotation = taking_turns(11, 12, 13, **{f"{PERSON}:{TODAY}": TURNS[0]})

    assert turns(rotation, PERSON, TODAY) == (TURNS[0], TURNS)


class TestAfterTheEnd:
    """The pilot of the rig has closed; what its keys are answered was chosen before."""

    def close(self, rig, **pilot):
        table = rotating(rig)
        table.pilots[1] = replace(table.pilots[1], closes_at=NOW - DAY / 2, **pilot)
        return table

    async def test_its_own_sentence_is_said(self, rig):
        self.close(rig, closing_sentence="We took the blue one; ask Ada for a licence.")

        reply = await rig.chat("pilot-blind")

        assert (reply.status, reply.error["message"]) == (
            410,
            "We took the blue one; ask Ada for a licence.",
        )

    async def test_all_names_lead_to_who_answers_from_now_on(self, rig):
        table = self.close(rig)
        pilot = table.pilots[1]
        names = {"pilot-blind": 12, "pilot-chat": 12}
        after = replace(pilot, closes_at=NOW + DAY, aliases=names, blind={})
        table.pilots[1] = replace(pilot, after=after)

        replies = [await rig.chat(name) for name in names]
        listed = await rig.request("GET", "/v1/models")

        assert [reply.status for reply in replies] == [200, 200]
        assert [reply.headers["x-pilotdash-candidate"] for reply in replies] == ["cand-12"] * 2
        assert [who(record) for record in rig.records()] == [(12, 5, None)] * 2
        assert [model["id"] for model in listed.json["data"]] == list(names)

    async def test_that_ends_as_well(self, rig):
        table = self.close(rig)
        pilot = table.pilots[1]
        table.pilots[1] = replace(pilot, after=replace(pilot, closes_at=NOW - DAY / 4))

        assert (await rig.chat("pilot-chat")).status == 410
