"""Who gets the weekly summary of which pilot, and that it is sent once.

The table is the queue, and the schedule the retry. A worker that dies between the mail and the note
of it sends again after CLAIM_LASTS: the rare duplicate is chosen over the lost summary.
"""

from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import Q

from apps.accounts.models import Role, User
from apps.digest import mail
from apps.digest.models import Delivery
from apps.digest.summary import was_on
from apps.digest.weeks import due_at, last_week, week_period
from apps.pilots.models import Pilot

CLAIM_LASTS: Final = timedelta(minutes=10)
READERS: Final = (Role.ADMIN, Role.LEAD)


def plan(*, now: datetime) -> list[int]:
    """Note every summary of the last week that is due; return those that nobody has taken.

    A week's summaries are due from Monday morning in the pilot's zone until the week is over, so a
    Monday on which nothing ran is made up for.
    """
    due = [
        Delivery(pilot=pilot, week=week, recipient=reader)
        for pilot, week, since in _due_weeks(now)
        for reader in User.objects.filter(
            is_active=True, role__in=READERS, date_joined__lte=since
        ).order_by("id")
    ]
    Delivery.objects.bulk_create(due, ignore_conflicts=True)
    weeks = {(delivery.pilot_id, delivery.week) for delivery in due}
    untaken = Delivery.objects.filter(
        _unclaimed(now),
        sent_at=None,
        recipient__is_active=True,
        recipient__role__in=READERS,
        week__in={week for _, week in weeks},
    ).order_by("id")
    return [each.id for each in untaken if (each.pilot_id, each.week) in weeks]


def deliver(*, delivery_id: int, now: datetime) -> bool:
    """Send one summary. False when it has gone out, another worker has it, or its reader left.

    No transaction is open while the mail server talks. Raises what the mail server answers.
    """
    mine = Delivery.objects.filter(_unclaimed(now), id=delivery_id, sent_at=None)
    if not mine.update(claimed_at=now):
        return False
    delivery = Delivery.objects.select_related("recipient", "pilot").get(id=delivery_id)
    reader = delivery.recipient
    if not reader.is_active or reader.role not in READERS:
        return False
    mail.send(mail.compose(delivery.pilot, delivery.week), to=reader.email)
    Delivery.objects.filter(id=delivery_id).update(sent_at=now)
    return True


def _due_weeks(now: datetime) -> list[tuple[Pilot, date, datetime]]:
    found = []
    for pilot in Pilot.objects.order_by("id"):
        zone = pilot.zone_info
        week = last_week(now=now, zone=zone)
        since = due_at(week, zone)
        if now >= since and was_on(pilot, week_period(week, zone)):
            found.append((pilot, week, since))
    return found


def _unclaimed(now: datetime) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
