""" "Not this one today": who answers instead, how often, and what is told."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.accounts.models import AuditEntry
from apps.catalog.models import Candidate, CandidateState, Provider
from apps.core.rotation import order_of
from apps.gateway.contract import ROUTES_KEY, RouteTable
from apps.pilots.models import Swap
from apps.pilots.rotations import RotationEnded, end_rotation, start_rotation
from apps.pilots.swaps import (
    NobodyElse,
    NotInThePilot,
    SwappedToday,
    choices,
    day_ends,
    swap,
)
from apps.pilots.trail import PilotClosed
from apps.pilots.trials import drop_trial
from tests.factories import NOON, make_enrollment, make_pilot, make_trial
from tests.trail import versions

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 18)
DAY = timedelta(days=1)


@pytest.fixture
def rotation():
    pilot = make_pilot(slug="first")
    ids = [make_trial(pilot).candidate_id for _ in range(3)]
    return start_rotation(pilot=pilot, role="chat", candidate_ids=ids, now=NOON)


@pytest.fixture
def person(rotation):
    return make_enrollment(rotation.pilot).person


def order(rotation, person, day=TODAY):
    eras = rotation.known_eras()
    return order_of(eras, seed=rotation.seed, person_id=person.id, day=day)


def enter(candidate_id, state):
    Candidate.objects.filter(id=candidate_id).update(state=state)


def swappable(rotation, person, now=NOON):
    return [
        (each.alias, each.is_swapped, each.can_swap)
        for each in choices(pilot=rotation.pilot, person=person, now=now)
    ]


def test_next_in_turn_answers_until_the_day_ends(rotation, person):
    first, second, _ = order(rotation, person)
    before = (versions(), AuditEntry.objects.count())
    assert swappable(rotation, person) == [("pilot-chat", False, True)]

    made = swap(rotation=rotation, person=person, now=NOON)

    stored = (made.day, made.assigned_id, made.chosen_id, made.at)
    assert stored == (TODAY, first, second, NOON)
    assert (versions(), AuditEntry.objects.count()) == (before[0] + 1, before[1])
    assert swappable(rotation, person) == [("pilot-chat", True, False)]
    assert swappable(rotation, person, NOON + DAY) == [("pilot-chat", False, True)]


def test_it_is_done_once_a_working_day(rotation, person):
    swap(rotation=rotation, person=person, now=NOON)

    with pytest.raises(SwappedToday):
        swap(rotation=rotation, person=person, now=NOON + timedelta(hours=15))
    swap(rotation=rotation, person=person, now=NOON + timedelta(hours=16))

    assert list(Swap.objects.order_by("id").values_list("day", flat=True)) == [TODAY, TODAY + DAY]


def test_others_keep_whom_they_have(rotation, person):
    other = make_enrollment(rotation.pilot).person

    swap(rotation=rotation, person=person, now=NOON)

    assert swappable(rotation, other) == [("pilot-chat", False, True)]


def test_paused_candidates_are_passed_over(rotation, person):
    _, second, third = order(rotation, person)
    enter(second, CandidateState.PAUSED)

    assert swap(rotation=rotation, person=person, now=NOON).chosen_id == third


def test_nobody_whose_code_would_go_elsewhere_is_passed_on_to(rotation, person):
    _, second, third = order(rotation, person)
    Provider.objects.filter(candidates=second).update(residence="inside")

    assert swap(rotation=rotation, person=person, now=NOON).chosen_id == third


def test_another_than_whoever_stands_in_is_chosen(rotation, person):
    first, _, third = order(rotation, person)
    enter(first, CandidateState.PAUSED)  # so the second answers now

    made = swap(rotation=rotation, person=person, now=NOON)

    assert (made.assigned_id, made.chosen_id) == (first, third)


def test_candidate_dropped_today_is_sent_away_but_never_chosen(rotation, person):
    _, second, third = order(rotation, person)
    other = next(
        each
        for each in (make_enrollment(rotation.pilot).person for _ in range(200))
        if order(rotation, each)[0] == second
    )
    drop_trial(trial=rotation.pilot.trials.get(candidate=second), now=NOON)

    assert swap(rotation=rotation, person=person, now=NOON).chosen_id == third
    assert swap(rotation=rotation, person=other, now=NOON).assigned_id == second


def test_where_nobody_else_can_answer_nothing_is_swapped(rotation, person):
    _, second, third = order(rotation, person)
    enter(second, CandidateState.PAUSED)
    enter(third, CandidateState.RETIRED)

    assert swappable(rotation, person) == [("pilot-chat", False, False)]
    with pytest.raises(NobodyElse):
        swap(rotation=rotation, person=person, now=NOON)


def test_only_people_who_take_part_swap_and_only_while_it_runs(rotation, person):
    left = make_enrollment(rotation.pilot, left_at=NOON).person
    after = rotation.pilot.period.end

    for who, now in ((left, NOON), (person, after)):
        assert swappable(rotation, who, now) == []
        with pytest.raises(NotInThePilot):
            swap(rotation=rotation, person=who, now=now)
    end_rotation(rotation=rotation, now=NOON)
    assert swappable(rotation, person) == []
    with pytest.raises(RotationEnded):
        swap(rotation=rotation, person=person, now=NOON)
    rotation.pilot.closed_at = NOON
    rotation.pilot.save(update_fields=["closed_at"])
    with pytest.raises(PilotClosed):
        swap(rotation=rotation, person=person, now=NOON)

    assert Swap.objects.count() == 0


@pytest.mark.parametrize("count", [1, 4])
def test_choices_are_read_with_the_same_queries(count, django_assert_num_queries):
    pilot = make_pilot()
    ids = [make_trial(pilot).candidate_id for _ in range(2)]
    for role in ("chat", "edit", "agent")[:count]:
        start_rotation(pilot=pilot, role=role, candidate_ids=ids, now=NOON)
    person = make_enrollment(pilot).person

    with django_assert_num_queries(5):
        found = choices(pilot=pilot, person=person, now=NOON)

    assert [each.role for each in found] == ["Chat", "Edits", "Agent"][:count]


@pytest.mark.parametrize(
    ("day", "zone", "ends"),
    [
        (TODAY, "UTC", datetime(2026, 11, 19, 4, tzinfo=UTC)),
        (date(2026, 11, 20), "Europe/Berlin", datetime(2026, 11, 23, 3, tzinfo=UTC)),
        # Clocks go back in the night to Sunday: Monday's 04:00 is an hour later in UTC.
        (date(2026, 10, 23), "Europe/Berlin", datetime(2026, 10, 26, 3, tzinfo=UTC)),
        (date(2026, 10, 22), "Europe/Berlin", datetime(2026, 10, 23, 2, tzinfo=UTC)),
    ],
)
def test_day_ends_at_four_of_the_next_working_day(day, zone, ends):
    assert day_ends(day, ZoneInfo(zone)) == ends


@pytest.mark.django_db(transaction=True)
def test_swap_is_handed_to_the_gateways_as_it_is_made(valkey):
    now = datetime.now(UTC)
    days = {"starts_on": (now - DAY).date(), "ends_on": (now + DAY).date()}
    pilot = make_pilot(**days)
    ids = [make_trial(pilot).candidate_id for _ in range(2)]
    rotation = start_rotation(pilot=pilot, role="chat", candidate_ids=ids, now=now)
    person = make_enrollment(pilot).person

    made = swap(rotation=rotation, person=person, now=now)

    table = RouteTable.from_json(valkey.get(ROUTES_KEY))
    swaps = table.pilots[pilot.id].blind["pilot-chat"].swaps
    assert swaps == {f"{person.id}:{made.day}": made.chosen_id}
