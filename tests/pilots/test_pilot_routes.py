"""Blind aliases, and what a pilot becomes after its end, as the gateway is told."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.catalog.models import CandidateState, Provider
from apps.core.rotation import Era
from apps.gateway.contract import RotationRoute, RouteTable
from apps.pilots.models import AfterClose, Rotation, RotationEra, Swap
from apps.pilots.pilot_routes import AFTER_KEPT, CLOSED_KEPT
from apps.pilots.routing import build_route_table
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_person,
    make_pilot,
    make_trial,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
# A Wednesday.
TODAY = NOON.date()


def rotate(pilot, *eras, role="chat", **fields):
    rotation = Rotation.objects.create(
        **{
            "pilot": pilot,
            "role": role,
            "alias": f"pilot-{role}",
            "seed": f"seed of {role}",
            "created_at": NOON - 9 * DAY,
        }
        | fields
    )
    for first_day, ids in eras:
        RotationEra.objects.create(rotation=rotation, first_day=first_day, candidate_ids=ids)
    return rotation


def route_of(pilot, now=NOON):
    table = build_route_table(now)
    assert RouteTable.from_json(table.to_json()) == table
    return table.pilots[pilot.id]


def trials(pilot, *aliases):
    return [make_trial(pilot, alias=alias).candidate_id for alias in aliases]


def test_a_rotation_is_told_with_the_era_of_today_and_all_later_ones():
    pilot = make_pilot()
    one, two, three = trials(pilot, "one", "two", "three")
    rotate(
        pilot,
        (TODAY + 7 * DAY, [two]),
        (TODAY - 9 * DAY, [one, two, three]),
        (TODAY - 2 * DAY, [one, two]),
        (TODAY + DAY, [two, one]),
    )

    assert route_of(pilot).blind == {
        "pilot-chat": RotationRoute(
            "seed of chat",
            (
                Era(TODAY - 2 * DAY, (one, two)),
                Era(TODAY + DAY, (two, one)),
                Era(TODAY + 7 * DAY, (two,)),
            ),
        )
    }


def test_whoever_rotates_or_did_has_no_name_of_its_own_and_others_keep_theirs():
    pilot, other = make_pilot(), make_pilot()
    one, two, three, four = trials(pilot, "one", "two", "three", "four")
    rotate(pilot, (TODAY - 9 * DAY, [one, two]), (TODAY + DAY, [one, three]))
    make_trial(other, make_candidate(), alias="one")

    assert route_of(pilot).aliases == {"four": four}
    assert list(route_of(other).aliases) == ["one"]


def test_after_a_rotation_its_candidates_have_their_names_again():
    pilot = make_pilot()
    one, two = trials(pilot, "one", "two")
    rotate(pilot, (TODAY - 9 * DAY, [one, two]), ended_at=NOON)

    assert (route_of(pilot).aliases, route_of(pilot).blind) == ({"one": one, "two": two}, {})


@pytest.mark.parametrize(
    ("now", "today"),
    [
        (NOON, TODAY),
        # The night belongs to the day before, in the pilot's zone; the weekend to Friday.
        (NOON.replace(hour=2, minute=59), TODAY - DAY),
        (NOON.replace(hour=3), TODAY),
        (NOON + 5 * DAY - timedelta(hours=9, minutes=1), TODAY + 2 * DAY),
        (NOON + 5 * DAY - timedelta(hours=9), TODAY + 5 * DAY),
    ],
)
def test_swaps_of_today_and_later_are_told(now, today):
    pilot = make_pilot(zone="Europe/Berlin")
    one, two = trials(pilot, "one", "two")
    rotation = rotate(pilot, (TODAY - 9 * DAY, [one, two]))
    person, another = make_person(), make_person()
    for days in range(-3, 8):
        Swap.objects.create(
            rotation=rotation,
            person=person,
            day=TODAY + days * DAY,
            assigned_id=one,
            chosen_id=two,
            at=NOON,
        )
    Swap.objects.create(
        rotation=rotation,
        person=another,
        day=TODAY + 6 * DAY,
        assigned_id=two,
        chosen_id=one,
        at=NOON,
    )

    told = [today + n * DAY for n in range((TODAY + 7 * DAY - today).days + 1)]
    assert route_of(pilot, now).blind["pilot-chat"].swaps == {
        **{f"{person.id}:{day}": two for day in told},
        f"{another.id}:{TODAY + 6 * DAY}": one,
    }


@pytest.mark.parametrize(
    ("told", "places", "left"),
    [
        ("inside", ["inside", "inside", "inside"], []),
        ("inside", ["outside", "inside", "outside"], [0, 2]),
        ("outside", ["outside", "inside", "outside"], [1]),
        # What was told is not known any more, or nobody is there: the earliest registered counts.
        ("", ["inside", "outside", "inside"], [1]),
        ("private", ["inside", "outside", "inside"], [1]),
    ],
)
def test_an_arm_whose_code_would_go_elsewhere_is_left_out_of_its_rotation(told, places, left):
    pilot = make_pilot()
    ids = trials(pilot, "one", "two", "three")
    rotate(pilot, (TODAY - 9 * DAY, ids), residence=told)
    for id_, place in zip(ids, places, strict=True):
        Provider.objects.filter(candidates__id=id_).update(residence=place)

    route = route_of(pilot)

    assert route.blind["pilot-chat"].left_out == tuple(ids[place] for place in left)
    assert route.blind["pilot-chat"].eras == (Era(TODAY - 9 * DAY, tuple(ids)),)
    assert route.aliases == {}


@pytest.mark.parametrize("count", [1, 4])
def test_rotations_take_the_same_queries_for_any_number(count, django_assert_num_queries):
    for _ in range(count):
        pilot = make_pilot()
        ids = trials(pilot, "one", "two")
        for role in ("chat", "edit")[:count]:
            rotation = rotate(pilot, (TODAY, ids), (TODAY + DAY, ids), role=role)
            person = make_person()
            Swap.objects.create(
                rotation=rotation,
                person=person,
                day=TODAY,
                assigned_id=ids[0],
                chosen_id=ids[1],
                at=NOON,
            )

    with django_assert_num_queries(12):
        build_route_table(NOON)


def closing(**fields):
    """A pilot with a name, a blind alias and somebody who could answer for both."""
    pilot = make_pilot(**{"starts_on": date(2026, 9, 1), "ends_on": date(2027, 1, 31)} | fields)
    one, two, three = trials(pilot, "one", "two", "three")
    rotate(pilot, (TODAY - 9 * DAY, [one, two]))
    return pilot, three


def test_an_announced_closing_ends_the_pilot_at_its_hour_with_its_sentence():
    pilot, _ = closing(closes_at=NOON + 3 * DAY, closing_sentence="Ask Ada.")

    route = route_of(pilot)

    assert (route.closes_at, route.closing_sentence, route.after) == (
        NOON + 3 * DAY,
        "Ask Ada.",
        None,
    )


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        # It ends with its last day where the closing would come later.
        ({"closes_at": NOON + 999 * DAY}, datetime(2027, 2, 1, tzinfo=UTC)),
        # It was closed by hand before the hour that had been announced.
        ({"closes_at": NOON + DAY, "closed_at": NOON - DAY}, NOON - DAY),
        ({"closes_at": NOON - DAY, "closed_at": NOON - DAY + timedelta(seconds=9)}, NOON - DAY),
        ({"closes_at": datetime(2026, 8, 1, tzinfo=UTC)}, datetime(2026, 9, 1, tzinfo=UTC)),
    ],
)
def test_a_pilot_ends_at_whatever_comes_first(fields, end):
    pilot, _ = closing(**fields)

    assert route_of(pilot).closes_at == end


@pytest.mark.parametrize("chosen", [AfterClose.WINNER, AfterClose.FALLBACK])
def test_whoever_was_chosen_answers_for_every_name_after_the_end(chosen):
    candidate = make_candidate()
    pilot, three = closing(
        closes_at=NOON + 3 * DAY, after_close=chosen, after_candidate=candidate, budget_usd=5
    )

    route = route_of(pilot)

    assert route.aliases == {"three": three}
    assert list(route.blind) == ["pilot-chat"]
    assert route.after.aliases == {"three": candidate.id, "pilot-chat": candidate.id}
    assert (route.after.blind, route.after.after) == ({}, None)
    assert (route.after.opens_at, route.after.closes_at) == (
        route.opens_at,
        NOON + 3 * DAY + AFTER_KEPT,
    )
    assert route.after.limits == route.limits


def test_nobody_answers_after_the_end_if_whoever_was_chosen_is_gone():
    candidate = make_candidate(state=CandidateState.RETIRED)
    pilot, _ = closing(
        closes_at=NOON + DAY, after_close=AfterClose.WINNER, after_candidate=candidate
    )

    assert route_of(pilot).after is None


@pytest.mark.parametrize("closes_at", [None, datetime(2027, 2, 1, 0, 0, 1, tzinfo=UTC)])
def test_nobody_answers_by_name_between_the_last_day_and_the_closing(closes_at):
    pilot, _ = closing(
        closes_at=closes_at, after_close=AfterClose.WINNER, after_candidate=make_candidate()
    )

    before = route_of(pilot)
    pilot.closed_at = datetime(2027, 2, 3, tzinfo=UTC)
    pilot.save()

    assert (before.closes_at, before.after) == (datetime(2027, 2, 1, tzinfo=UTC), None)
    assert route_of(pilot, pilot.closed_at).after is not None


@pytest.mark.parametrize(
    ("chosen", "ago", "is_kept"),
    [
        (AfterClose.GONE, CLOSED_KEPT - DAY, True),
        (AfterClose.GONE, CLOSED_KEPT, False),
        (AfterClose.WINNER, CLOSED_KEPT, True),
        (AfterClose.WINNER, AFTER_KEPT - DAY, True),
        (AfterClose.WINNER, AFTER_KEPT, False),
    ],
)
def test_a_closed_pilot_is_told_as_long_as_its_keys_can_be_good_for_anything(chosen, ago, is_kept):
    candidate = None if chosen == AfterClose.GONE else make_candidate()
    pilot, _ = closing(closed_at=NOON - ago, after_close=chosen, after_candidate=candidate)
    key, _ = make_key(make_enrollment(pilot))

    table = build_route_table(NOON)

    assert (pilot.id in table.pilots, key.digest in table.keys) == (is_kept, is_kept)


def test_a_draft_is_told_to_nobody():
    closing(started_at=None)

    assert build_route_table(NOON).pilots == {}
