from datetime import UTC, datetime, timedelta

import pytest

from apps.feedback.actions import rate, withdraw
from apps.feedback.cards import Button, TagChoice
from apps.feedback.queries import (
    ASKED_PER_DAY,
    RECENT,
    Progress,
    VoteRow,
    Votes,
    card,
    inbox,
    last_rateable,
    progress,
    rating_of_call,
    votes,
)
from tests.factories import NOON, make_candidate, make_pilot
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


def test_votes_add_up_by_candidate_the_most_rated_first(stars):
    other = make_candidate(name="Other")
    for score in (1, 4, 5):
        give(stars, stars.call(), score)
    give(stars, stars.call(candidate=other), 3)
    give(stars, gone := stars.call(candidate=other), 5)
    withdraw(call_id=gone.id, person=stars.person, now=NOON + 2 * HOUR)

    assert votes(person=stars.person, pilot=stars.pilot) == Votes(
        rows=[
            VoteRow(stars.candidate.name, stars.candidate.position, 3, 2),
            VoteRow("Other", other.position, 1, 0),
        ],
        mine=4,
        everyone=None,
    )


@pytest.mark.parametrize(("raters", "everyone"), [(4, None), (5, 5)])
def test_how_many_others_rated_shows_from_five_raters_on(world, raters, everyone):
    give(world, world.call())
    for _ in range(raters - 1):
        colleague = world.colleague()
        give(world, world.call(person=colleague.person), person=colleague.person)

    found = votes(person=world.person, pilot=world.pilot)

    assert (found.mine, found.everyone) == (1, everyone)
