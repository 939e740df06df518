from celery import shared_task
from django.utils import timezone

from apps.usage import ingest, partitions


@shared_task
def drain() -> None:
    """Beat runs this every second: the schedule is the retry."""
    ingest.drain(now=timezone.now())


@shared_task
def make_partitions() -> None:
    """Make this month's partition and the next one's before the first call needs it."""
    month = partitions.month_of(timezone.now())
    partitions.make_partitions([month, partitions.months_after(month, 1)])
