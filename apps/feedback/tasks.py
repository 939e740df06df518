from celery import shared_task
from django.utils import timezone

from apps.feedback import waiting


@shared_task
def attach_waiting() -> None:
    waiting.attach_waiting(now=timezone.now())
