"""How evenly days are given out, and how little that tells."""

from datetime import date, timedelta

import pytest

from apps.catalog.models import Candidate
from apps.core.rotation import assigned
from apps.pilots.balance import Stretch, balances
from apps.pilots.rotations import end_rotation, start_rotation
from apps.pilots.swaps import swap
from apps.pilots.trials import drop_trial
from tests.factories import NOON, make_enrollment, make_pilot, make_trial, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
# NOON is a Wednesday; two weeks later ten working days have been given, and that day's.
TWO_WEEKS_ON = NOON + 14 * DAY
LONG = {"ends_on": date(2027, 1, 31)}


def rotating(people, arms=2, **fields):
    pilot = make_pilot(**LONG | fields)
    ids = [make_trial(pilot).candidate_id for _ in range(arms)]
    for number in range(people):
        make_enrollment(pilot, make_user(name=f"Dev {number}").person)
    return pilot, start_rotation(pilot=pilot, role="chat", candidate_ids=ids, now=NOON)


def test_every_developer_has_every_arm_within_a_day():
    pilot, _ = rotating(6)

    (found,) = balances(pilot, now=TWO_WEEKS_ON)

    # Eleven working days of two arms: five and six for each of six people.
    assert (found.alias, found.role, found.is_over) == ("pilot-chat", "Chat", False)
    assert (found.person_count, found.days, found.apart_most, found.swaps) == (6, 66, 1, 0)
    assert [arm.label for arm in found.arms] == ["Arm 1", "Arm 2"]
    assert sum(arm.days for arm in found.arms) == 66
    assert all(30 <= arm.days <= 36 for arm in found.arms)
    assert sum(arm.share for arm in found.arms) == pytest.approx(1)
    assert found.stretches == (Stretch(date(2026, 11, 18), 2),)
    assert found.people == ()
    assert found.has_one_arm is False


def test_single_arms_are_told_of_five_people_and_more():
    few, _ = rotating(4)
    enough, _ = rotating(5)

    (hidden,), (shown,) = balances(few, now=NOON), balances(enough, now=NOON)

    assert (hidden.is_few, hidden.arms, hidden.swaps, hidden.apart_most) == (True, (), None, None)
    assert (shown.is_few, shown.days) == (False, 5)


def test_people_are_named_where_the_pilot_says_so_but_never_their_arms():
    pilot, rotation = rotating(2, people_named=True)
    person = pilot.enrollments.order_by("id").first().person
    swap(rotation=rotation, person=person, now=NOON)

    (found,) = balances(pilot, now=NOON + 2 * DAY)

    told = [(each.name, each.days, each.apart, each.swaps) for each in found.people]
    assert told == [("Dev 0", 3, 1, 1), ("Dev 1", 3, 1, 0)]
    assert found.arms == ()


def test_numbers_of_arms_say_nothing_of_their_order():
    pilot, rotation = rotating(5)
    first = min(rotation.known_eras()[0].candidate_ids)
    is_first = set()

    for number in range(60):
        rotation.seed = f"seed {number}"
        rotation.save(update_fields=["seed"])
        (found,) = balances(pilot, now=NOON)
        given = sum(whose(rotation, each.person_id) == first for each in pilot.enrollments.all())
        is_first.add(found.arms[0].days == given)  # five days are no two equal halves

    assert is_first == {True, False}


def whose(rotation, person_id):
    eras = rotation.known_eras()
    return assigned(eras, seed=rotation.seed, person_id=person_id, day=date(2026, 11, 18))


def test_days_count_from_when_somebody_joins_until_they_leave_or_it_ends():
    pilot, rotation = rotating(0)
    make_enrollment(pilot, enrolled_at=NOON + 5 * DAY)  # Monday
    make_enrollment(pilot, left_at=NOON + DAY)
    make_enrollment(pilot, enrolled_at=NOON - 9 * DAY, left_at=NOON - DAY)
    end_rotation(rotation=rotation, now=NOON + 6 * DAY)  # Tuesday

    (found,) = balances(pilot, now=TWO_WEEKS_ON)

    # Monday and Tuesday; Wednesday and Thursday; none, since it left before the first day.
    assert (found.person_count, found.days, found.is_over) == (2, 4, True)


def test_dropped_arm_stays_counted_and_one_that_is_left_is_said():
    pilot, _ = rotating(5)
    drop_trial(trial=pilot.trials.order_by("id").first(), now=NOON)

    (found,) = balances(pilot, now=NOON + DAY)

    assert found.stretches == (Stretch(date(2026, 11, 18), 2), Stretch(date(2026, 11, 19), 1))
    assert (found.has_one_arm, found.days, found.apart_most) == (True, 10, 1)


@pytest.mark.parametrize("people", [1, 6])
def test_balance_takes_the_same_queries_for_any_number(people, django_assert_num_queries):
    pilot, _ = rotating(people, people_named=True)

    with django_assert_num_queries(4):
        balances(pilot, now=TWO_WEEKS_ON)

    assert Candidate.objects.count() == 2
