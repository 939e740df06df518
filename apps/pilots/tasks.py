from celery import shared_task
from django.utils import timezone

from apps.pilots import routing


@shared_task
def publish_if_stale() -> None:
    """Beat runs this every few seconds: for a broker that was away or lost its data."""
    routing.publish_if_stale(timezone.now())
