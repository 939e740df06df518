"""A pilot in which people use things on days: what tests of the daily question share.

NOON is a Wednesday, 2026-11-18 12:00 UTC, and pilots live in UTC unless told otherwise.
"""

from datetime import date, timedelta

from apps.feedback.models import DailyQuestion
from apps.pilots.models import Goal, Rotation, RotationEra
from tests.factories import NOON

WEDNESDAY = date(2026, 11, 18)
HOUR = timedelta(hours=1)
# After four in the afternoon, when people are asked who never said when.
EVENING = NOON + 5 * HOUR


def make_goal(pilot, role, measure="daily"):
    return Goal.objects.create(pilot=pilot, role=role, measure=measure, margin="0.3")


def make_rotation(pilot, role, candidates, alias="pilot-chat"):
    rotation = Rotation.objects.create(
        pilot=pilot, role=role, alias=alias, seed="seed", created_at=pilot.created_at
    )
    RotationEra.objects.create(
        rotation=rotation,
        first_day=pilot.starts_on,
        candidate_ids=[candidate.id for candidate in candidates],
    )
    return rotation


def asked():
    rows = DailyQuestion.objects.order_by("id")
    return list(rows.values_list("person_id", "day", "role", "candidate_id", "is_blind", "channel"))


def said():
    rows = DailyQuestion.objects.order_by("id")
    return list(rows.values_list("score", "reason", "skipped_at", "withdrawn_at"))
