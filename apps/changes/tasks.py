from celery import shared_task
from django.utils import timezone

from apps.changes import actions


@shared_task
def forget_old_claims() -> None:
    actions.forget_old_claims(now=timezone.now())
