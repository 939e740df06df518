"""A pilot's log: what is typed, what the product tells, and who reads what."""

from datetime import timedelta

import pytest

from apps.core.periods import Period
from apps.pilots.events import (
    EventToCome,
    NotOfThePilot,
    NotTyped,
    add_event,
    events_of,
    newest_events,
    remove_event,
    without_arms,
)
from apps.pilots.happenings import happened
from apps.pilots.models import PilotEvent
from apps.pilots.rotations import start_rotation
from apps.pilots.trials import drop_trial
from apps.pilots.unblinding import unblind_pilot
from tests.factories import (
    NOON,
    make_candidate,
    make_person,
    make_pilot,
    make_provider,
    make_trial,
)
from tests.trail import audited

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
WHOLE = Period(NOON - 999 * HOUR, NOON + 999 * HOUR)


def texts(events):
    return [event.text for event in events]


def test_event_is_noted_down_and_removed():
    pilot, actor = make_pilot(slug="first"), make_person()
    candidate = make_trial(pilot, make_candidate(slug="qwen")).candidate

    event = add_event(
        pilot=pilot,
        text="vLLM upgraded",
        at=NOON - HOUR,
        candidate=candidate,
        now=NOON,
        actor=actor,
    )

    assert events_of(pilot, WHOLE) == [event]
    assert (event.at, event.candidate, event.actor, event.is_automatic) == (
        NOON - HOUR,
        candidate,
        actor,
        False,
    )
    remove_event(event=event, now=NOON)
    remove_event(event=event, now=NOON)
    assert (events_of(pilot, WHOLE), newest_events(pilot)) == ([], [])
    detail = {"event": "vLLM upgraded", "at": "2026-11-18 11:00:00+00:00", "candidate": "qwen"}
    assert audited() == [
        ("event added", "pilot first", detail),
        ("event removed", "pilot first", {"event": "vLLM upgraded"}),
    ]


def test_event_that_cannot_be_is_refused():
    pilot = make_pilot()

    with pytest.raises(EventToCome):
        add_event(pilot=pilot, text="Later", at=NOON + HOUR, now=NOON)
    with pytest.raises(NotOfThePilot):
        add_event(pilot=pilot, text="X", at=NOON, candidate=make_candidate(), now=NOON)
    with pytest.raises(NotTyped):
        remove_event(event=happened(pilot, "Closed", now=NOON), now=NOON)

    assert texts(newest_events(pilot)) == ["Closed"]


def test_period_takes_its_first_instant_and_not_its_last():
    pilot = make_pilot()
    for text, at in (("before", -HOUR), ("first", 0 * HOUR), ("last", HOUR), ("after", 2 * HOUR)):
        PilotEvent.objects.create(pilot=pilot, text=text, at=NOON + at)
    happened(make_pilot(), "elsewhere", now=NOON)

    assert texts(events_of(pilot, Period(NOON, NOON + 2 * HOUR))) == ["first", "last"]
    assert texts(newest_events(pilot)) == ["after", "last", "first", "before"]


def test_developers_read_nothing_of_who_takes_turns_until_they_may_know():
    pilot = make_pilot()
    arm = make_candidate(
        name="Qwen Coder",
        slug="qwen",
        upstream_model="org/coder-32b",
        deployment="two A100",
        provider=make_provider(name="Rack Seven", slug="rack"),
    )
    trials = [make_trial(pilot, arm, alias="fast-one"), make_trial(pilot)]
    other = make_trial(pilot, make_candidate(name="Embedder")).candidate
    start_rotation(
        pilot=pilot, role="chat", candidate_ids=[each.candidate_id for each in trials], now=NOON
    )
    for text in (
        "QWEN CODER restarted",
        "qwen slow",
        "coder-32b quantized",
        "now on two a100",
        "Rack Seven was down",
        "fast-one is back",
        "Network was down",
    ):
        add_event(pilot=pilot, text=text, at=NOON, now=NOON)
    add_event(pilot=pilot, text="Upgraded", at=NOON, candidate=arm, now=NOON)
    add_event(pilot=pilot, text="Moved", at=NOON, candidate=other, now=NOON)
    drop_trial(trial=trials[0], now=NOON)

    assert texts(without_arms(pilot, events_of(pilot, WHOLE))) == [
        "Blind rotation for chat began, behind pilot-chat",
        "Network was down",
        "Moved",
    ]
    assert len(events_of(pilot, WHOLE)) == 11
    unblind_pilot(pilot=pilot, reason="Over", now=NOON)
    pilot.refresh_from_db()
    assert without_arms(pilot, events_of(pilot, WHOLE)) == events_of(pilot, WHOLE)
