from celery import shared_task
from django.utils import timezone

from apps.digest import actions


@shared_task
def send_due() -> None:
    """Beat runs this every quarter of an hour: the schedule is the retry."""
    for delivery_id in actions.plan(now=timezone.now()):
        deliver.delay(delivery_id=delivery_id)


@shared_task
def deliver(*, delivery_id: int, **_: object) -> None:
    actions.deliver(delivery_id=delivery_id, now=timezone.now())
