from datetime import date, timedelta

import pytest
from django.http import Http404

from apps.accounts.models import Invitation, Role
from apps.pilots.queries import (
    enrollment_of,
    keys_of,
    participants,
    people_to_enroll,
    pilot_or_404,
    pilot_rows,
    pilots_for,
    trials_of,
)
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_person,
    make_pilot,
    make_trial,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def three_pilots():
    """One closed, one old and open, one new and open."""
    return (
        make_pilot(starts_on=date(2026, 11, 9), closed_at=NOON),
        make_pilot(starts_on=date(2026, 11, 1)),
        make_pilot(starts_on=date(2026, 11, 5)),
    )


@pytest.mark.parametrize("role", [Role.ADMIN, Role.LEAD, Role.VIEWER])
def test_leads_and_viewers_see_every_pilot_the_open_and_new_first(role, three_pilots):
    closed, old, new = three_pilots

    assert list(pilots_for(make_user(role))) == [new, old, closed]


def test_developer_sees_the_pilots_they_take_part_in(three_pilots):
    closed, old, new = three_pilots
    user = make_user(Role.DEVELOPER)
    make_enrollment(closed, user.person)
    make_enrollment(old, user.person, left_at=NOON)
    make_enrollment(new)

    assert list(pilots_for(user)) == [closed]


def test_pilot_that_one_may_not_open_does_not_exist(rf):
    pilot, request = make_pilot(), rf.get("/")
    request.user = make_user(Role.DEVELOPER)

    with pytest.raises(Http404):
        pilot_or_404(request, pilot.slug)

    make_enrollment(pilot, request.user.person)
    assert pilot_or_404(request, pilot.slug) == pilot


def test_enrollment_of_someone_who_left_is_none():
    pilot, inside, left = make_pilot(), make_user(), make_user()
    enrollment = make_enrollment(pilot, inside.person)
    make_enrollment(pilot, left.person, left_at=NOON)

    assert [enrollment_of(user, pilot) for user in (inside, left)] == [enrollment, None]


def test_trials_come_in_the_order_of_candidates_without_dropped_ones():
    pilot = make_pilot()
    late = make_trial(pilot, make_candidate(position=902))
    early = make_trial(pilot, make_candidate(position=901))
    make_trial(pilot, dropped_at=NOON)

    assert list(trials_of(pilot)) == [early, late]


def test_keys_of_a_developer_are_newest_first_and_no_others():
    enrollment = make_enrollment(make_pilot())
    old, _ = make_key(enrollment, created_at=NOON - timedelta(days=9))
    new, _ = make_key(enrollment, created_at=NOON - timedelta(days=8), revoked_at=NOON)
    make_key(enrollment, kind="internal", created_at=NOON - timedelta(days=7))
    make_key(make_enrollment(enrollment.pilot))

    assert list(keys_of(enrollment)) == [new, old]


@pytest.mark.parametrize("count", [1, 3])
def test_pilot_rows_count_what_is_in_force(count, django_assert_num_queries):
    pilot = make_pilot()
    make_trial(pilot, dropped_at=NOON)
    make_key(make_enrollment(pilot, left_at=NOON))
    for _ in range(count):
        make_trial(pilot)
        enrollment = make_enrollment(pilot)
        make_key(enrollment)
        make_key(enrollment, revoked_at=NOON)

    with django_assert_num_queries(1):
        rows = pilot_rows(now=NOON)

    assert [(row.candidates, row.people, row.keys) for row in rows] == [(count, count, count)]


@pytest.mark.parametrize("count", [1, 3])
def test_participants_are_named_by_user_invitation_or_pseudonym(count, django_assert_num_queries):
    pilot = make_pilot()
    for number in range(count):
        user = make_user(name=f"User {number}", email=f"user@{number}.example")
        make_key(make_enrollment(pilot, user.person))
        invited = make_person()
        Invitation.objects.create(
            digest=f"{number}",
            email=f"invited@{number}.example",
            role=Role.DEVELOPER,
            person=invited,
            created_at=NOON,
            expires_at=NOON + timedelta(days=7),
        )
        make_enrollment(pilot, invited)
        make_enrollment(pilot, make_person(pseudonym=f"quiet-{number}"))
    make_enrollment(pilot, left_at=NOON)

    with django_assert_num_queries(2):
        people = participants(pilot, now=NOON)

    assert [(row.name, row.email, row.has_joined, row.keys) for row in people] == [
        row
        for number in range(count)
        for row in (
            (f"User {number}", f"user@{number}.example", True, 1),
            (f"invited@{number}.example", f"invited@{number}.example", False, 0),
            (f"quiet-{number}", "", False, 0),
        )
    ]


def test_people_to_enroll_have_a_user_and_are_not_inside():
    pilot = make_pilot()
    make_person()
    make_user(is_active=False)
    make_enrollment(pilot, make_user().person)
    left, new = make_user(email="a@example.com"), make_user(email="b@example.com")
    make_enrollment(pilot, left.person, left_at=NOON)

    assert list(people_to_enroll(pilot)) == [left.person, new.person]
