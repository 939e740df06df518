"""What is stored of editors' events, and what never is."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.changes.actions import routes_changed
from apps.core.rotation import assigned
from apps.core.uuid7 import new_uuid7
from apps.feedback.ide import NotStarted, Received, store_event
from apps.feedback.ide_events import read_event
from apps.feedback.models import IdeEvent
from apps.pilots.models import Rotation, RotationEra
from apps.pilots.trail import PilotClosed
from apps.usage.models import Call
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_key,
    make_pilot,
    make_trial,
)
from tests.feedback.continue_events import event

TOLD = datetime(2026, 11, 18, 12, 5, tzinfo=UTC)
RECEIVED = TOLD + timedelta(seconds=1)


def store(world, name, *, now=RECEIVED, key=None, schema="0.2.0", **data):
    report = read_event(event(name, schema=schema, **data))
    return store_event(report=report, key=key or world.key, now=now)


def rotation(world, role="chat", alias="pilot-chat", arms=2):
    """A blind alias of the pilot, with the world's candidate and others behind it."""
    candidates = [world.candidate] + [make_candidate() for _ in range(arms - 1)]
    for candidate in candidates[1:]:
        make_trial(world.pilot, candidate)
    made = Rotation.objects.create(
        pilot=world.pilot, role=role, alias=alias, seed="s", created_at=world.pilot.created_at
    )
    ids = [candidate.id for candidate in candidates]
    RotationEra.objects.create(rotation=made, first_day=date(2026, 11, 2), candidate_ids=ids)
    return made


def turn_of(made, person, day=date(2026, 11, 18)):
    return assigned(made.known_eras(), seed=made.seed, person_id=person.id, day=day)


def test_a_completion_is_stored(world):
    assert store(world, "autocomplete") == Received.STORED

    row = IdeEvent.objects.values().get()
    assert len(row.pop("digest")) == 64
    del row["id"]
    assert row == {
        "pilot_id": world.pilot.id,
        "person_id": world.person.id,
        "key_id": world.key.id,
        "kind": "autocomplete",
        "schema": "0.2.0",
        "at": TOLD,
        "day": date(2026, 11, 18),
        "received_at": RECEIVED,
        "alias": "chat",
        "role": "completion",
        "candidate_id": world.candidate.id,
        "is_blind": False,
        "is_local": False,
        "is_accepted": True,
        "language": "python",
        "prompt_tokens": None,
        "generated_tokens": None,
        "tool": "",
        "has_succeeded": None,
        "call_id": None,
    }


@pytest.mark.parametrize(
    ("name", "role", "status"),
    [
        ("chatFeedback", "chat", Received.WAITING),
        ("chatInteraction", "agent", Received.STORED),
        ("editInteraction", "edit", Received.STORED),
        ("editOutcome", "edit", Received.STORED),
        ("nextEditOutcome", "completion", Received.STORED),
        ("tokensGenerated", "", Received.STORED),
    ],
)
def test_every_kind_is_of_a_role_and_a_candidate(world, name, role, status):
    assert store(world, name) == status

    row = IdeEvent.objects.get()
    assert (row.kind, row.role, row.alias) == (name, role, "chat")
    assert row.candidate_id == world.candidate.id


@pytest.mark.parametrize("name", ["autocomplete", "chatFeedback", "tokensGenerated", "toolUsage"])
def test_twice_counts_once_even_with_another_key(world, name):
    other_key, _ = make_key(world.enrollment)
    first = store(world, name)

    second = store(world, name, now=RECEIVED + timedelta(hours=1), key=other_key)

    assert (first != Received.KNOWN, second) == (True, Received.KNOWN)
    assert IdeEvent.objects.count() == 1


def test_the_same_event_of_two_people_is_two(world):
    colleague = world.colleague()
    key, _ = make_key(colleague.person.enrollments.get())

    store(world, "autocomplete")
    store(world, "autocomplete", key=key)

    assert IdeEvent.objects.count() == 2


def test_taken_after_it_had_been_left_it_is_taken(world):
    store(world, "autocomplete", accepted=False)
    assert store(world, "autocomplete", accepted=True) == Received.KNOWN
    assert store(world, "autocomplete", accepted=False) == Received.KNOWN

    assert list(IdeEvent.objects.values_list("is_accepted", flat=True)) == [True]


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (RECEIVED + timedelta(minutes=5), RECEIVED + timedelta(minutes=5)),
        (RECEIVED + timedelta(minutes=5, milliseconds=1), RECEIVED),
        (RECEIVED - timedelta(days=7), RECEIVED - timedelta(days=7)),
        (RECEIVED - timedelta(days=7, milliseconds=1), RECEIVED),
        (None, RECEIVED),
    ],
)
def test_a_clock_is_believed_within_reason(world, told, at):
    told = told and told.isoformat()

    store(world, "tokensGenerated", schema="0.1.0", timestamp=told)

    assert IdeEvent.objects.get().at == at


def test_nothing_was_before_the_pilot(world):
    received = datetime(2026, 11, 3, 12, tzinfo=UTC)

    store(world, "autocomplete", timestamp="2026-11-01T23:59:59Z", now=received)
    store(world, "chatInteraction", timestamp="2026-11-02T00:00:00Z", now=received)

    assert list(IdeEvent.objects.order_by("id").values_list("at", flat=True)) == [
        received,
        datetime(2026, 11, 2, tzinfo=UTC),
    ]


def test_the_night_belongs_to_the_day_before(world):
    store(world, "autocomplete", timestamp="2026-11-18T03:59:00Z", now=RECEIVED)

    assert IdeEvent.objects.get().day == date(2026, 11, 17)


@pytest.mark.parametrize(
    "title", ["pilot-chat · chat", "pilot-chat · edit", "pilot-chat", "Any · pilot-chat · chat"]
)
def test_a_blind_alias_is_of_whom_the_day_had_assigned(world, title):
    made = rotation(world)

    store(world, "chatInteraction", modelTitle=title, modelName=title)

    row = IdeEvent.objects.get()
    assert (row.alias, row.is_blind, row.role) == ("pilot-chat", True, "chat")
    assert row.candidate_id == turn_of(made, world.person)


def test_an_edit_by_a_chats_blind_alias_is_an_edit(world):
    made = rotation(world)

    store(world, "editOutcome", modelTitle="pilot-chat · edit")

    row = IdeEvent.objects.get()
    assert (row.role, row.is_blind) == ("edit", True)
    assert row.candidate_id == turn_of(made, world.person)


def test_settings_that_were_handed_out_before_are_understood(world):
    title = f"{world.candidate.name} · chat"

    store(world, "chatFeedback", modelTitle=title, modelName=title)

    row = IdeEvent.objects.get()
    assert (row.alias, row.candidate_id) == ("chat", world.candidate.id)


@pytest.mark.parametrize("title", ["GPT of my own", "gone · gone-alias · chat", ""])
def test_a_model_of_ones_own_is_nobodys_and_its_name_is_not_kept(world, title):
    status = store(world, "chatFeedback", modelTitle=title, modelName=title)

    row = IdeEvent.objects.get()
    assert (row.alias, row.candidate_id, row.is_blind, status) == ("", None, False, "stored")


def test_a_thumb_waits_only_where_thumbs_are_the_scale(stars):
    assert store(stars, "chatFeedback") == Received.STORED
    assert IdeEvent.objects.get().is_accepted is True


def test_a_next_edit_is_joined_to_the_very_call(world):
    made = rotation(world, "completion", "pilot-complete")
    arms = made.known_eras()[0].candidate_ids
    whose = turn_of(made, world.person)
    other = next(id_ for id_ in arms if id_ != whose)
    call = world.call(
        at=TOLD - timedelta(seconds=5),
        alias="pilot-complete",
        task="autocomplete",
        rateable=False,
        assigned_candidate_id=whose,
    )
    Call.objects.filter(id=call.id).update(candidate_id=other)

    store(
        world,
        "nextEditOutcome",
        modelName="pilot-complete",
        requestId=f"chatcmpl-{call.id.hex}",
    )

    row = IdeEvent.objects.get()
    assert (row.call_id, row.alias, row.candidate_id) == (call.id, "pilot-complete", whose)
    assert (row.role, row.is_blind, row.is_accepted) == ("completion", True, False)


def test_a_next_edit_is_never_joined_to_somebody_elses_call(world):
    theirs = world.call(person=world.colleague().person)
    elsewhere = world.call(pilot=make_pilot())

    for number, call_id in enumerate((theirs.id, elsewhere.id, new_uuid7())):
        store(
            world,
            "nextEditOutcome",
            completionId=str(number),
            requestId=f"chatcmpl-{call_id.hex}",
        )

    assert set(IdeEvent.objects.values_list("call_id", "candidate_id")) == {
        (None, world.candidate.id)
    }


def test_a_draft_and_a_closed_pilot_collect_nothing(world):
    draft = make_pilot(started_at=None)
    key, _ = make_key(make_enrollment(draft, world.person))
    with pytest.raises(NotStarted):
        store(world, "autocomplete", key=key)

    closed = make_pilot(closed_at=RECEIVED)
    key, _ = make_key(make_enrollment(closed, world.person))
    with pytest.raises(PilotClosed):
        store(world, "autocomplete", key=key)

    assert not IdeEvent.objects.exists()


def test_what_changes_in_the_pilot_holds_for_the_next_event(world):
    store(world, "autocomplete", modelName="new")
    make_trial(world.pilot, alias="new")
    routes_changed()
    store(world, "autocomplete", modelName="new", completionId="another")

    assert list(IdeEvent.objects.order_by("id").values_list("alias", flat=True)) == ["", "new"]
