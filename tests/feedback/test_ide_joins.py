"""Thumbs become ratings of the call that they were for, and of nobody else's."""

import json
from datetime import timedelta

import pytest
from django.conf import settings

from apps.feedback.actions import rate, withdraw
from apps.feedback.ide_joins import CLOCKS, SETTLES, SOON, WAITS, WINDOW, join_events, stored_until
from apps.feedback.models import IdeEvent, Rating
from apps.gateway.contract import GATEWAYS_KEY, STREAM
from apps.pilots.models import RatingScale
from apps.usage.models import Call
from tests.factories import make_enrollment, make_key, make_pilot, make_trial
from tests.feedback.test_ide import RECEIVED, TOLD, rotation, store, turn_of

pytestmark = pytest.mark.usefixtures("valkey")

SECOND = timedelta(seconds=1)
SOON_AFTER = RECEIVED + SETTLES


def ratings():
    return list(Rating.objects.order_by("id").values_list("call_id", "score", "via"))


def test_a_thumb_is_the_rating_of_the_last_answer_before_it(world):
    for minutes in (10, 2, -1):
        world.call(at=TOLD - timedelta(minutes=minutes), key_id=world.key.id)
    last = Call.objects.get(admitted_at=TOLD - timedelta(minutes=2))
    store(world, "chatFeedback", feedback=False)

    assert join_events(now=SOON_AFTER) == 1

    rating = Rating.objects.get()
    assert (rating.call_id, rating.person, rating.score) == (last.id, world.person, 0)
    assert (rating.scale, rating.via, rating.rated_at) == ("thumbs", "continue", TOLD)
    assert IdeEvent.objects.get().call_id == last.id
    assert join_events(now=SOON_AFTER + SECOND) == 0


@pytest.mark.parametrize(
    ("fields", "joined"),
    [
        ({}, True),
        ({"at": TOLD - WINDOW}, False),
        ({"at": TOLD - WINDOW + SECOND}, True),
        # What the person saw had ended; clocks differ a little.
        ({"at": TOLD - SECOND, "total_ms": 5_000}, True),
        ({"at": TOLD - SECOND, "total_ms": 7_000}, False),
        ({"at": TOLD + CLOCKS, "total_ms": None}, True),
        ({"alias": "another"}, False),
        ({"rateable": False}, False),
        ({"key_id": 12345}, False),
        ({"source": "compare"}, False),
    ],
)
def test_which_calls_a_thumb_can_be_for(world, fields, joined):
    fields = {"at": TOLD - timedelta(minutes=1), "key_id": world.key.id} | fields
    world.call(**fields)
    store(world, "chatFeedback")

    assert join_events(now=SOON_AFTER) == int(joined)
    assert Rating.objects.count() == int(joined)


def test_a_thumb_is_never_for_somebody_elses_call(world):
    at = TOLD - timedelta(minutes=1)
    world.call(at=at, person=world.colleague().person, key_id=world.key.id)
    world.call(at=at, pilot=make_pilot(), key_id=world.key.id)
    store(world, "chatFeedback")

    assert join_events(now=SOON_AFTER) == 0
    assert ratings() == []


def test_a_thumb_that_was_turned_round_counts_as_it_was_left(world):
    call = world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)
    for seconds, liked in ((0, True), (1, False), (2, True), (3, False)):
        at = TOLD - timedelta(seconds=10) + seconds * SECOND
        store(world, "chatFeedback", feedback=liked, timestamp=at.isoformat())

    assert join_events(now=SOON_AFTER) == 4
    assert ratings() == [(call.id, 0, "continue")]


def test_each_thumb_of_an_answer_of_several_prompts_is_one_rating(world):
    call = world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)
    for millis in range(3):
        at = TOLD - timedelta(milliseconds=millis)
        store(world, "chatFeedback", timestamp=at.isoformat())

    join_events(now=SOON_AFTER)

    assert ratings() == [(call.id, 1, "continue")]
    assert Rating.objects.get().revisions.count() == 0


def test_what_was_said_elsewhere_later_stands(world):
    call = world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)
    store(world, "chatFeedback", feedback=True)
    said = {"call": call, "person": world.person, "scale": "thumbs", "via": "page"}
    rate(**said, score=0, now=TOLD + SECOND)

    assert join_events(now=SOON_AFTER) == 1
    assert ratings() == [(call.id, 0, "page")]


def test_a_rating_that_was_withdrawn_stays_so(world):
    call = world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)
    store(world, "chatFeedback")
    join_events(now=SOON_AFTER)
    withdraw(call_id=call.id, person=world.person, now=SOON_AFTER)

    assert join_events(now=SOON_AFTER + SECOND) == 0
    assert Rating.objects.get().withdrawn_at == SOON_AFTER


def test_a_thumb_before_its_call_is_stored_waits(world):
    older = world.call(at=TOLD - timedelta(minutes=30), key_id=world.key.id)
    store(world, "chatFeedback")

    too_soon = join_events(now=SOON_AFTER - SECOND)
    call = world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)

    assert (too_soon, join_events(now=SOON_AFTER)) == (0, 1)
    assert ratings() == [(call.id, 1, "continue")]
    assert older.id != call.id


def stream_entry(valkey, at):
    valkey.xadd(STREAM, {"r": b"{}"}, id=f"{int(at.timestamp() * 1000)}-0")


def gateway_says(valkey, *, at, oldest_age_s):
    state = {"at": at.timestamp(), "backlog": 1, "oldest_age_s": oldest_age_s, "routes_version": 1}
    valkey.hset(GATEWAYS_KEY, "gateway-1", json.dumps(state))


def test_while_calls_wait_in_the_stream_an_older_one_is_not_taken_for_the_last(world, valkey):
    older = world.call(at=TOLD - timedelta(minutes=30), key_id=world.key.id)
    store(world, "chatFeedback")
    stream_entry(valkey, TOLD - SECOND)

    assert join_events(now=SOON_AFTER) == 0
    valkey.delete(STREAM)
    assert join_events(now=SOON_AFTER) == 1
    assert ratings() == [(older.id, 1, "continue")]


def test_what_a_gateway_has_not_shipped_yet_is_waited_for(world, valkey):
    world.call(at=TOLD - timedelta(minutes=30), key_id=world.key.id)
    store(world, "chatFeedback")

    gateway_says(valkey, at=SOON_AFTER, oldest_age_s=20.0)
    waiting = join_events(now=SOON_AFTER)
    gateway_says(valkey, at=SOON_AFTER, oldest_age_s=None)

    assert (waiting, join_events(now=SOON_AFTER)) == (0, 1)


def test_until_when_all_is_stored(valkey):
    now = RECEIVED
    nothing_waits = stored_until(now)
    gateway_says(valkey, at=now - timedelta(seconds=11), oldest_age_s=60.0)
    gone = stored_until(now)
    gateway_says(valkey, at=now - SECOND, oldest_age_s=60.0)
    shipping = stored_until(now)
    stream_entry(valkey, now - timedelta(seconds=90))

    assert (nothing_waits, gone) == (now, now)
    assert shipping == now - timedelta(seconds=61)
    assert stored_until(now) == now - timedelta(seconds=90)


def test_without_the_broker_nothing_is_known_and_nothing_joined(world, monkeypatch):
    world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)
    store(world, "chatFeedback")
    monkeypatch.setattr(settings, "REDIS_URL", "redis://127.0.0.1:1/0")

    assert join_events(now=SOON_AFTER) == 0


def test_a_call_that_comes_late_is_looked_for_for_hours(world):
    store(world, "chatFeedback")
    now = RECEIVED + WAITS - SECOND
    world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)

    assert join_events(now=RECEIVED + SOON) == 0
    assert join_events(now=now + 2 * SECOND, reach=WAITS) == 0
    assert join_events(now=now, reach=WAITS) == 1


def test_where_stars_are_the_scale_a_thumb_stays_an_event(stars):
    stars.call(at=TOLD - timedelta(minutes=1), key_id=stars.key.id)
    store(stars, "chatFeedback")

    assert join_events(now=SOON_AFTER) == 0
    assert (ratings(), IdeEvent.objects.count()) == ([], 1)


def test_a_pilot_that_closed_meanwhile_takes_no_rating(world):
    world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id)
    store(world, "chatFeedback")
    world.pilot.closed_at = RECEIVED
    world.pilot.save(update_fields=["closed_at"])

    assert join_events(now=SOON_AFTER) == 0


def test_a_thumb_for_a_blind_answer_is_of_the_candidate_that_answered(world):
    made = rotation(world)
    whose = turn_of(made, world.person)
    title = "pilot-chat · chat"
    call = world.call(at=TOLD - timedelta(minutes=1), key_id=world.key.id, alias="pilot-chat")
    Call.objects.filter(id=call.id).update(candidate_id=whose)
    store(world, "chatFeedback", modelTitle=title, modelName=title)

    assert join_events(now=SOON_AFTER) == 1
    assert Rating.objects.get().candidate_id == whose


def test_a_tool_is_of_the_answer_that_asked_for_it(world):
    made = rotation(world, "agent", "pilot-agent")
    whose = turn_of(made, world.person)
    before = TOLD - timedelta(minutes=1)
    asked = world.call(
        at=before, key_id=world.key.id, alias="pilot-agent", task="agent", tool_calls=1
    )
    Call.objects.filter(id=asked.id).update(assigned_candidate_id=whose)
    world.call(at=before + SECOND, key_id=world.key.id, alias="pilot-agent", task="agent")
    store(world, "toolUsage")

    assert join_events(now=SOON_AFTER) == 1

    row = IdeEvent.objects.get()
    assert (row.call_id, row.alias, row.candidate_id) == (asked.id, "pilot-agent", whose)
    assert (row.role, row.is_blind, row.tool) == ("agent", True, "read_file")
    assert ratings() == []


@pytest.mark.parametrize("events", [1, 3])
def test_those_that_find_no_call_cost_a_query_each(world, events, django_assert_num_queries):
    for number in range(events):
        store(world, "chatFeedback", sessionId=str(number))

    # Which wait, their pilots; then for each a savepoint, its row, its call, and the end.
    with django_assert_num_queries(2 + 4 * events):
        assert join_events(now=SOON_AFTER) == 0


def test_nothing_that_waits_is_one_query(world, django_assert_num_queries):
    make_trial(world.pilot)
    store(world, "autocomplete")

    with django_assert_num_queries(1):
        assert join_events(now=SOON_AFTER) == 0


def test_an_unused_scale_and_key_of_another_pilot_do_not_mix(world):
    other = make_pilot(rating_scale=RatingScale.STARS)
    make_trial(other, world.candidate, alias="chat")
    key, _ = make_key(make_enrollment(other, world.person))
    world.call(at=TOLD - timedelta(minutes=1), key_id=key.id)
    store(world, "chatFeedback", key=key)

    assert join_events(now=SOON_AFTER) == 0
