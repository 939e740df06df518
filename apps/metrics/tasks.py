from celery import shared_task
from django.utils import timezone

from apps.metrics import actions, rebuild, results, seeding


@shared_task
def rebuild_dirty() -> None:
    """Beat runs this every second: the markers are the queue, the schedule is the retry."""
    rebuild.rebuild_dirty(now=timezone.now())


@shared_task
def mark_hosting_quarters() -> None:
    """Beat runs this as every quarter-hour begins."""
    actions.mark_hosting_quarters(now=timezone.now())


@shared_task
def seed_money() -> None:
    """Beat runs this every other second: counters wait in a set until their past is known."""
    seeding.seed_money()


@shared_task
def compute_findings() -> None:
    """Beat runs this every ten minutes, on the general queue: it must not hold up the drain."""
    results.compute_all(now=timezone.now())
