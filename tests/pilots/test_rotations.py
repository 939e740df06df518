"""Blind rotations: who may take turns, how they begin, gain, lose and end."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.core.rotation import Era
from apps.pilots.arms import LastArm
from apps.pilots.models import PilotEvent, Rotation
from apps.pilots.rotations import (
    ArmsDisagree,
    NotOnTrial,
    RotatesAlready,
    RotationEnded,
    TooFewArms,
    add_arm,
    end_rotation,
    start_rotation,
)
from apps.pilots.trail import PilotClosed
from apps.pilots.trials import AliasMalformed, AliasTaken, add_trial, drop_trial
from tests.factories import NOON, make_candidate, make_pilot, make_trial
from tests.pilots.arms import arm
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db
# NOON is a Wednesday.
TODAY, TOMORROW = date(2026, 11, 18), date(2026, 11, 19)
DAY = timedelta(days=1)


def trial_of_two(**fields):
    pilot = make_pilot(**{"slug": "first"} | fields)
    trials = [make_trial(pilot, make_candidate(slug=slug, name=slug.title())) for slug in "ab"]
    return pilot, [trial.candidate for trial in trials]


def started(pilot, candidates, role="chat", **fields):
    ids = [each.id for each in candidates]
    told = {"pilot": pilot, "role": role, "candidate_ids": ids, "now": NOON} | fields
    return start_rotation(**told)


def eras(rotation):
    return Rotation.objects.get(id=rotation.id).known_eras()


def test_rotation_begins_today_and_its_seed_is_told_to_nobody():
    pilot, both = trial_of_two()

    rotation = started(pilot, both)
    other = started(pilot, both, role="agent")

    ids = tuple(sorted(each.id for each in both))
    assert (rotation.alias, other.alias) == ("pilot-chat", "pilot-agent")
    assert eras(rotation) == (Era(TODAY, ids),)
    assert len(bytes.fromhex(rotation.seed)) == 32
    assert rotation.seed != other.seed
    detail = {"alias": "pilot-chat", "role": "chat", "candidates": "a, b", "from": "2026-11-18"}
    assert audited()[0] == ("rotation started", "pilot first", detail)
    assert rotation.seed not in str(audited())
    assert versions() == 2
    event = PilotEvent.objects.order_by("id").first()
    assert (event.text, event.candidate, event.is_automatic) == (
        "Blind rotation for chat began, behind pilot-chat",
        None,
        True,
    )


@pytest.mark.parametrize(
    ("fields", "now", "first_day"),
    [
        ({}, datetime(2026, 11, 18, 3, 59, tzinfo=UTC), date(2026, 11, 17)),
        ({}, datetime(2026, 11, 21, 12, tzinfo=UTC), date(2026, 11, 20)),  # Saturday is Friday's
        ({"zone": "Asia/Tokyo"}, datetime(2026, 11, 18, 20, tzinfo=UTC), date(2026, 11, 19)),
        # Before the pilot's first day, a Monday: the night before it still is Friday's.
        ({"starts_on": date(2026, 11, 23)}, NOON, date(2026, 11, 20)),
    ],
)
def test_first_era_begins_on_the_working_day_of_the_pilots_zone(fields, now, first_day):
    pilot, both = trial_of_two(**fields)

    rotation = started(pilot, both, now=now)

    assert [era.first_day for era in eras(rotation)] == [first_day]


@pytest.mark.parametrize(
    ("alias", "problem"),
    [
        ("o1-mini", AliasMalformed),
        ("a", AliasTaken),  # a candidate's own
        ("gone", AliasTaken),  # one that was dropped: its calls are stored under this name
        ("pilot-agent", AliasTaken),
        ("compare", AliasTaken),
        ("side-by-side", AliasTaken),
    ],
)
def test_alias_of_a_rotation_stands_for_nothing_else(alias, problem):
    pilot, both = trial_of_two()
    make_trial(pilot, alias="gone", dropped_at=NOON)
    started(pilot, both, role="agent")

    with pytest.raises(problem):
        started(pilot, both, alias=alias)
    with pytest.raises(AliasTaken):
        add_trial(pilot=pilot, candidate=make_candidate(), alias="pilot-agent", now=NOON)


def test_usual_alias_is_numbered_where_it_was_used():
    pilot, both = trial_of_two()
    end_rotation(rotation=started(pilot, both), now=NOON)

    assert started(pilot, both).alias == "pilot-chat-2"


def test_rotation_that_breaks_a_rule_is_not_started():
    pilot, both = trial_of_two()
    elsewhere = make_trial(pilot, arm(residence="inside")).candidate

    with pytest.raises(TooFewArms):
        started(pilot, both[:1])
    with pytest.raises(NotOnTrial):
        started(pilot, [*both, make_candidate()])
    with pytest.raises(ArmsDisagree) as problem:
        started(pilot, [*both, elsewhere])
    started(pilot, both)
    with pytest.raises(RotatesAlready):
        started(pilot, both)

    assert len(problem.value.reasons) == 2
    assert Rotation.objects.count() == 1


def test_dropping_a_candidate_is_one_logged_act_that_holds_from_tomorrow():
    pilot, both = trial_of_two()
    chat, agent = started(pilot, both), started(pilot, both, role="agent")
    before = versions()
    trial = pilot.trials.get(alias="b")

    drop_trial(trial=trial, now=NOON + timedelta(hours=1))
    drop_trial(trial=trial, now=NOON + timedelta(hours=2))

    ids = tuple(sorted(each.id for each in both))
    assert eras(chat) == eras(agent) == (Era(TODAY, ids), Era(TOMORROW, (both[0].id,)))
    detail = {
        "candidate": "b",
        "alias": "b",
        "rotations": "pilot-chat, pilot-agent",
        "from": "2026-11-19",
    }
    assert audited()[2:] == [("trial dropped", "pilot first", detail)]
    assert versions() == before + 1
    event = PilotEvent.objects.order_by("-id").first()
    text = "B was dropped; it takes no more turns from 19 November on"
    assert (event.text, event.candidate, event.at) == (text, both[1], NOON + timedelta(hours=1))


def test_last_candidate_of_a_rotation_is_not_dropped_before_the_rotation_ends():
    pilot, both = trial_of_two()
    rotation = started(pilot, both)
    first, last = pilot.trials.order_by("id")
    drop_trial(trial=first, now=NOON)

    with pytest.raises(LastArm):
        drop_trial(trial=last, now=NOON)
    last.refresh_from_db()
    assert last.dropped_at is None
    end_rotation(rotation=rotation, now=NOON)
    drop_trial(trial=last, now=NOON)

    last.refresh_from_db()
    assert last.dropped_at == NOON


def test_candidate_joins_from_the_next_working_day_on():
    pilot, both = trial_of_two()
    rotation = started(pilot, both)
    friday = NOON + 2 * DAY
    third = make_trial(pilot, make_candidate(slug="c")).candidate

    first_day = add_arm(rotation=rotation, candidate=third, now=friday)

    ids = tuple(sorted(each.id for each in both))
    assert first_day == date(2026, 11, 23)
    assert eras(rotation) == (Era(TODAY, ids), Era(first_day, (*ids, third.id)))
    detail = {"alias": "pilot-chat", "candidate": "c", "from": "2026-11-23"}
    assert audited()[-1] == ("candidate joined rotation", "pilot first", detail)
    with pytest.raises(RotatesAlready):
        add_arm(rotation=rotation, candidate=third, now=friday)


def test_two_changes_of_one_day_make_one_era():
    pilot, both = trial_of_two()
    rotation = started(pilot, both)
    third = make_trial(pilot, make_candidate(slug="c")).candidate

    add_arm(rotation=rotation, candidate=third, now=NOON)
    drop_trial(trial=pilot.trials.get(alias="a"), now=NOON + timedelta(hours=1))

    assert [era.candidate_ids for era in eras(rotation)[1:]] == [(both[1].id, third.id)]


def test_changes_before_the_pilot_begins_change_its_first_era():
    pilot, both = trial_of_two(starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 20))
    rotation = started(pilot, both)

    drop_trial(trial=pilot.trials.get(alias="a"), now=NOON)

    assert eras(rotation) == (Era(date(2026, 11, 30), (both[1].id,)),)


def test_candidate_that_does_not_agree_does_not_join():
    pilot, both = trial_of_two()
    rotation = started(pilot, both)
    elsewhere = make_trial(pilot, arm(residence="inside", context_tokens=None)).candidate

    with pytest.raises(ArmsDisagree):
        add_arm(rotation=rotation, candidate=elsewhere, now=NOON)
    with pytest.raises(NotOnTrial):
        add_arm(rotation=rotation, candidate=make_candidate(), now=NOON)

    assert len(eras(rotation)) == 1


def test_rotation_ends_once_and_never_starts_again():
    pilot, both = trial_of_two()
    rotation = started(pilot, both)

    end_rotation(rotation=rotation, now=NOON + DAY)

    rotation.refresh_from_db()
    assert rotation.ended_at == NOON + DAY
    assert audited()[-1] == ("rotation ended", "pilot first", {"alias": "pilot-chat"})
    with pytest.raises(RotationEnded):
        end_rotation(rotation=rotation, now=NOON)
    with pytest.raises(RotationEnded):
        add_arm(rotation=rotation, candidate=make_candidate(), now=NOON)


def test_rotations_of_a_closed_pilot_do_not_change():
    pilot, both = trial_of_two()
    rotation, trial = started(pilot, both), pilot.trials.first()
    pilot.closed_at = NOON
    pilot.save(update_fields=["closed_at"])

    for act in (
        lambda: started(pilot, both, role="edit"),
        lambda: end_rotation(rotation=rotation, now=NOON),
        lambda: add_arm(rotation=rotation, candidate=both[0], now=NOON),
        lambda: drop_trial(trial=trial, now=NOON),
    ):
        with pytest.raises(PilotClosed):
            act()
