from datetime import date

import pytest

from apps.metrics.queries_people import Adoption, adoption
from tests.factories import make_candidate, make_enrollment, make_key, make_pilot
from tests.metrics.derived import make_usage

pytestmark = pytest.mark.django_db
WEEK = date(2026, 11, 10)


def test_people_are_counted_once_by_how_far_they_came():
    pilot, candidate = make_pilot(), make_candidate()
    invited, keyed, failed, quiet, active = (make_enrollment(pilot) for _ in range(5))
    for enrollment in (keyed, failed, quiet, active, active):
        make_key(enrollment)
    make_usage(pilot, candidate, WEEK, calls=1, failed=1, person=failed.person_id)
    make_usage(pilot, candidate, date(2026, 11, 9), calls=2, person=quiet.person_id, rated=1)
    for day in (10, 11):
        make_usage(pilot, candidate, date(2026, 11, day), calls=2, person=active.person_id)
    make_key(make_enrollment(make_pilot()))

    found = adoption(pilot.id, active_since=WEEK)

    assert found == Adoption(invited=5, made_key=4, called=2, active=1, rated=1)
    assert found.quiet == 1
    assert invited.person_id


def test_an_empty_pilot_has_nobody():
    assert adoption(make_pilot().id, active_since=WEEK) == Adoption(0, 0, 0, 0, 0)
