from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.feedback import daily
from apps.feedback.comparison_votes import withdraw_vote
from apps.feedback.models import DailyQuestion, IdeEvent
from apps.metrics.evidence_digest import evidence_digest
from apps.metrics.models import StoredFinding
from apps.metrics.results import compute_all, compute_findings, findings_of
from apps.metrics.tasks import compute_findings as compute_findings_task
from apps.pilots.models import Goal, Pilot
from tests.factories import NOON, make_pilot
from tests.metrics.made_trials import (
    FIRST,
    answer_days,
    complete_days,
    make_role,
    noon,
    vote,
    working_days,
)

pytestmark = pytest.mark.django_db

WEEK_3 = noon(FIRST + timedelta(weeks=2))
SOON = WEEK_3 + timedelta(minutes=10)


@pytest.fixture
def role():
    pilot, (good, bad), raters, rotation = make_role(people=6)
    answer_days(pilot, raters, rotation, working_days(10), {good.id: (5, 4), bad.id: (3, 2)})
    return pilot, good


def withdraw_all_of(day, *, now):
    for question in DailyQuestion.objects.filter(day=day):
        daily.withdraw(question=question, now=now)


def test_pages_read_what_was_stored(role, django_assert_num_queries):
    pilot, good = role
    assert findings_of(pilot) == []

    assert compute_findings(pilot, now=WEEK_3) == 1

    with django_assert_num_queries(1):
        (found,) = findings_of(pilot)
    assert (found.role, found.winner_id, found.computed_at) == ("chat", good.id, WEEK_3)


def test_nothing_is_computed_where_nothing_has_changed(role):
    pilot, _ = role
    compute_findings(pilot, now=WEEK_3)

    assert compute_findings(pilot, now=SOON) == 0

    assert findings_of(pilot)[0].computed_at == WEEK_3


def test_a_withdrawn_answer_changes_the_finding(role):
    pilot, _ = role
    compute_findings(pilot, now=WEEK_3)
    withdraw_all_of(FIRST, now=SOON)

    assert compute_findings(pilot, now=SOON) == 1

    assert findings_of(pilot)[0].count == 54


def test_a_completion_that_is_taken_after_all_changes_the_finding():
    pilot, (a, b), raters, rotation = make_role(
        people=5, role="completion", measure="acceptance", margin=0.02
    )
    complete_days(pilot, raters, rotation, working_days(2), {a.id: 5, b.id: 5})
    compute_findings(pilot, now=WEEK_3)
    left = IdeEvent.objects.filter(is_accepted=False).first()
    IdeEvent.objects.filter(id=left.id).update(is_accepted=True)

    assert compute_findings(pilot, now=SOON) == 1


def test_a_new_day_is_looked_at_anew(role):
    pilot, _ = role

    assert evidence_digest(pilot, now=WEEK_3) != evidence_digest(
        pilot, now=WEEK_3 + timedelta(days=1)
    )


def test_a_frozen_finding_counts_what_was_withdrawn_since_and_nothing_else(role):
    pilot, good = role
    pilot.closed_at = WEEK_3
    pilot.save()
    compute_findings(pilot, now=SOON)
    (frozen,) = findings_of(pilot)
    withdraw_all_of(FIRST, now=SOON + timedelta(hours=1))

    assert compute_findings(pilot, now=SOON + timedelta(days=1)) == 0

    (found,) = findings_of(pilot)
    assert (found.is_frozen, found.withdrawn_since, found.winner_id) == (True, 6, good.id)
    assert (found.count, found.places, found.computed_at) == (60, frozen.places, SOON)


def test_withdrawn_votes_are_counted_once_frozen():
    pilot, (a, b), raters, _ = make_role(people=2, measure="wins")
    votes = [vote(pilot, person, a, b, "left", FIRST) for person in raters]
    pilot.closed_at = WEEK_3
    pilot.save()
    compute_findings(pilot, now=WEEK_3)
    withdraw_vote(comparison=votes[0], now=SOON)

    compute_findings(pilot, now=SOON)

    assert findings_of(pilot)[0].withdrawn_since == 1


def test_a_draft_and_a_pilot_without_goals_have_no_findings(role):
    pilot, _ = role
    Pilot.objects.filter(id=pilot.id).update(started_at=None)
    make_pilot()

    assert compute_all(now=WEEK_3) == 0
    assert compute_findings(Pilot.objects.get(id=pilot.id), now=WEEK_3) == 0


def test_a_role_without_a_goal_loses_its_finding(role):
    pilot, _ = role
    compute_findings(pilot, now=WEEK_3)
    Goal.objects.filter(pilot=pilot).update(role="edit")

    assert compute_all(now=WEEK_3) == 1

    assert [each.role for each in findings_of(pilot)] == ["edit"]


def test_findings_of_another_format_are_not_read(role):
    pilot, _ = role
    compute_findings(pilot, now=WEEK_3)
    StoredFinding.objects.update(result={"format": 0})

    assert findings_of(pilot) == []


def test_there_is_one_finding_a_role(role):
    pilot, _ = role
    compute_findings(pilot, now=WEEK_3)
    stored = StoredFinding.objects.get()
    assert str(stored) == f"chat in {pilot.id}"
    stored.pk = None

    with pytest.raises(IntegrityError, match="storedfinding_one_per_role"), transaction.atomic():
        stored.save()
    with (
        pytest.raises(IntegrityError, match="storedfinding_counts_from_nothing"),
        transaction.atomic(),
    ):
        StoredFinding.objects.update(withdrawn_since=-1)


def test_the_schedule_computes_what_is_due(role):
    pilot, _ = role

    compute_findings_task()

    assert [each.role for each in findings_of(pilot)] == ["chat"]
    assert findings_of(pilot)[0].computed_at > NOON
