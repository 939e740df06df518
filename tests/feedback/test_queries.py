from datetime import UTC, datetime, timedelta

import pytest

from apps.feedback.actions import rate, withdraw
from apps.feedback.cards import Addresses, Button, Earlier, TagChoice
from apps.feedback.models import SampledAnswer
from apps.feedback.queries import (
    ASKED_PER_DAY,
    RECENT,
    Progress,
    card,
    history,
    inbox,
    last_rateable,
    progress,
    rating_of_call,
)
from tests.factories import NOON, make_pilot
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import make_world

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def give(world, call, score=1, *, person=None, now=NOON + HOUR, **fields):
    return rate(
        call=call,
        person=person or world.person,
        score=score,
        scale=world.pilot.rating_scale,
        via="page",
        now=now,
        **fields,
    )


def pick_by_chance(call):
    SampledAnswer.objects.create(
        call_id=call.id,
        pilot_id=call.pilot_id,
        person_id=call.person_id,
        admitted_at=call.admitted_at,
        asked_at=call.admitted_at,
    )


def shown(world, **fields):
    return [
        each.call_id
        for each in inbox(person=world.person, pilot=world.pilot, now=NOON + HOUR, **fields)
    ]


def test_the_inbox_has_what_was_never_rated_first_and_then_the_newest(world):
    old, rated, newest, taken_back = (world.call(at=NOON + n * MINUTE) for n in range(4))
    give(world, rated)
    give(world, taken_back)
    withdraw(call_id=taken_back.id, person=world.person, now=NOON + HOUR)

    assert shown(world) == [newest.id, old.id, taken_back.id, rated.id]
    assert shown(world, limit=1) == [newest.id]


def test_the_inbox_begins_with_what_chance_picked_until_it_is_rated(world):
    old, picked, rated, newest = (world.call(at=NOON + n * MINUTE) for n in range(4))
    pick_by_chance(picked)
    pick_by_chance(rated)
    give(world, rated)

    cards = inbox(person=world.person, pilot=world.pilot, now=NOON + HOUR)

    assert [(each.call_id, each.is_sampled) for each in cards] == [
        (picked.id, True),
        (newest.id, False),
        (old.id, False),
        (rated.id, True),
    ]


def test_what_was_compared_is_voted_on_and_not_rated(world):
    call = world.call(source="compare")

    assert shown(world) == []
    assert last_rateable(person=world.person, pilot=world.pilot) is None
    assert not card(call=call, person=world.person, pilot=world.pilot, now=NOON).is_open


def test_the_history_is_what_one_said_before_the_latest_first(world):
    call = world.call()
    give(world, call, 1, tags=["clear"], comment="fine", now=NOON)
    give(world, call, 0, now=NOON + MINUTE)
    give(world, call, 0, comment="not fine", now=NOON + 2 * MINUTE)

    assert history(call_id=call.id, person=world.person) == [
        Earlier("not liked", ("clear",), "fine", NOON + 2 * MINUTE),
        Earlier("liked", ("clear",), "fine", NOON + MINUTE),
    ]
    assert history(call_id=call.id, person=world.colleague().person) == []


def test_the_inbox_holds_ones_own_recent_rateable_calls_of_the_pilot_only(world):
    mine = world.call()
    world.call(person=world.colleague().person)
    world.call(pilot=make_pilot())
    world.call(rateable=False, task="autocomplete")
    edge = world.call(at=NOON + HOUR - RECENT)
    world.call(at=NOON + HOUR - RECENT - MINUTE)

    assert shown(world) == [mine.id, edge.id]


def test_a_colleagues_rating_of_my_call_is_not_mine(world):
    """No action makes such a row; the page would still not show it."""
    call = world.call()
    rating = give(world, call)
    rating.pk, rating.person = None, world.colleague().person
    rating.save(force_insert=True)
    withdraw(call_id=call.id, person=world.person, now=NOON + 2 * HOUR)

    assert rating_of_call(call_id=call.id, person=world.person) is None
    assert card(call=call, person=world.person, pilot=world.pilot, now=NOON).given is None


def test_a_card_tells_what_is_known_of_the_call_and_nothing_of_its_content(world):
    call = world.call(task="edit", alias="chat", completion_tokens=1_240, total_ms=12_345)

    one = card(call=call, person=world.person, pilot=world.pilot, now=NOON)

    assert (one.call_id, one.pilot_slug, one.at) == (call.id, world.pilot.slug, call.admitted_at)
    assert (one.alias, one.candidate, one.position) == (
        "chat",
        world.candidate.name,
        world.candidate.position,
    )
    assert (one.task, one.length, one.total_ms) == ("edit", 1_240, 12_345)
    page = f"/pilots/{world.pilot.slug}/rate/{call.id}/"
    assert one.addresses == Addresses(page, f"{page}give/", f"{page}withdraw/")
    assert (one.is_blind, one.is_sampled) == (False, False)
    assert (one.is_open, one.given, one.is_withdrawn, one.has_reason) == (True, None, False, False)
    assert one.buttons == [
        Button("up", "Good answer", "u", False),
        Button("down", "Bad answer", "d", False),
    ]


def test_a_card_tells_what_was_said(world):
    call = world.call()
    give(world, call, 0, tags=["wrong", "my own"], comment="no")

    one = card(call=call, person=world.person, pilot=world.pilot, now=NOON + HOUR)

    assert one.given is not None
    assert (one.given.rating, one.given.words) == ("down", "not liked")
    assert (one.given.tags, one.given.comment) == (("wrong", "my own"), "no")
    assert [button.is_pressed for button in one.buttons] == [False, True]
    assert [tag for tag in one.tags if tag.is_checked] == [
        TagChoice("wrong", True),
        TagChoice("my own", True),
    ]
    assert one.has_reason


def test_a_card_of_a_blind_call_tells_neither_who_answered_nor_how_fast(world):
    make_rotation(world.pilot, world.candidate)
    call = world.call(alias="pilot-chat")
    mine = {"person": world.person, "pilot": world.pilot, "now": NOON}

    blind = card(call=call, **mine)
    world.pilot.unblinded_at = NOON
    told = card(call=call, **mine)

    assert blind.is_blind
    assert (blind.candidate, blind.position, blind.length, blind.total_ms) == ("", None, None, None)
    assert blind.alias == "pilot-chat"
    assert (told.is_blind, told.candidate, told.total_ms) == (False, world.candidate.name, 2250)


def test_a_card_offers_the_pilots_own_tags_and_keeps_what_was_chosen(db):
    world = make_world(rating_tags=["on the spot", "too long"])
    call = world.call()
    give(world, call, 0, tags=["wrong"])

    one = card(call=call, person=world.person, pilot=world.pilot, now=NOON + HOUR)

    assert one.tags == [
        TagChoice("on the spot", False),
        TagChoice("too long", False),
        TagChoice("wrong", True),
    ]


def test_a_card_of_a_pilot_with_stars_has_five_buttons(stars):
    call = stars.call()
    give(stars, call, 4)

    one = card(call=call, person=stars.person, pilot=stars.pilot, now=NOON + HOUR)

    assert [(button.value, button.key, button.is_pressed) for button in one.buttons] == [
        ("1", "1", False),
        ("2", "2", False),
        ("3", "3", False),
        ("4", "4", True),
        ("5", "5", False),
    ]
    assert [button.label for button in one.buttons][::4] == ["1 of 5, useless", "5 of 5, excellent"]


def test_a_card_of_a_closed_pilot_or_of_a_completion_is_not_open(db):
    world = make_world(closed_at=NOON + HOUR)
    call, completion = world.call(), world.call(rateable=False, task="autocomplete")
    mine = {"person": world.person, "pilot": world.pilot}

    assert card(call=call, now=NOON + HOUR - MINUTE, **mine).is_open
    assert not card(call=call, now=NOON + HOUR, **mine).is_open
    assert not card(call=completion, now=NOON, **mine).is_open


def test_the_last_rateable_call_is_none_before_the_first(world):
    assert last_rateable(person=world.person, pilot=world.pilot) is None


@pytest.mark.parametrize(
    ("calls", "rated", "expected"),
    [
        (0, 0, Progress(0, 0)),
        (3, 0, Progress(0, 3)),
        (3, 2, Progress(2, 3)),
        (3, 3, Progress(3, 3)),
        (ASKED_PER_DAY + 2, 1, Progress(1, ASKED_PER_DAY)),
        (ASKED_PER_DAY + 2, ASKED_PER_DAY + 1, Progress(ASKED_PER_DAY + 1, ASKED_PER_DAY)),
    ],
)
def test_a_few_ratings_a_day_are_asked_for(world, calls, rated, expected):
    for number, call in enumerate(world.call(at=NOON + n * MINUTE) for n in range(calls)):
        if number < rated:
            give(world, call)

    found = progress(person=world.person, pilot=world.pilot, now=NOON + HOUR)

    assert found == expected
    assert found.is_done is (rated >= min(ASKED_PER_DAY, calls))


def test_the_day_of_progress_is_the_pilots_also_when_the_clocks_change(db):
    world = make_world(zone="Europe/Berlin", starts_on=datetime(2026, 10, 1, tzinfo=UTC).date())
    # 2026-10-25 has 25 hours in Berlin: from 22:00 to 23:00 UTC.
    before = datetime(2026, 10, 24, 21, 59, tzinfo=UTC)
    first, last = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, tzinfo=UTC)
    for at in (before, first, last):
        give(world, world.call(at=at - MINUTE), now=at)

    rated = [
        progress(person=world.person, pilot=world.pilot, now=now).rated
        for now in (before, first, last, last + MINUTE)
    ]

    assert rated == [1, 2, 2, 0]
