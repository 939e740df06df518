from celery import shared_task
from django.utils import timezone

from apps.pilots import closing, closing_letters, last_day, routing


@shared_task
def publish_if_stale() -> None:
    """Beat runs this every few seconds: for a broker that was away or lost its data."""
    routing.publish_if_stale(timezone.now())


@shared_task
def close_due_pilots() -> None:
    """Beat runs this every minute; each closing is its own transaction, and closes once.

    What nobody ends is announced here three days before its last day is over.
    """
    now = timezone.now()
    for pilot_id in last_day.ending_pilots(now=now):
        last_day.end_by_itself(pilot_id=pilot_id, now=now)
    for pilot_id in closing.due_pilots(now=now):
        closing.close_due(pilot_id=pilot_id, now=now)


@shared_task
def send_closing_letters() -> None:
    """Beat runs this every minute: the schedule is the retry."""
    for letter_id in closing_letters.waiting_letters(now=timezone.now()):
        send_closing_letter.delay(letter_id=letter_id)


@shared_task
def send_closing_letter(*, letter_id: int, **_: object) -> None:
    closing_letters.send_letter(letter_id=letter_id, now=timezone.now())
