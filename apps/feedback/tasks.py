from celery import shared_task
from django.utils import timezone

from apps.feedback import asking, ide_joins, waiting

# Celery looks for tasks here.
from apps.feedback.compare_tasks import answer_comparison as answer_comparison
from apps.feedback.compare_tasks import empty_expired_comparisons as empty_expired_comparisons


@shared_task
def attach_waiting() -> None:
    waiting.attach_waiting(now=timezone.now())


@shared_task
def ask_daily() -> None:
    """Beat runs this every few minutes: the schedule is the retry."""
    for question_id in asking.ask_due(now=timezone.now()):
        deliver_question.delay(question_id=question_id)


@shared_task
def pick_samples() -> None:
    for sample_id in asking.pick_samples(now=timezone.now()):
        deliver_sample.delay(sample_id=sample_id)


@shared_task
def deliver_question(*, question_id: int) -> None:
    asking.deliver_question(question_id=question_id, now=timezone.now())


@shared_task
def deliver_sample(*, sample_id: int) -> None:
    asking.deliver_sample(sample_id=sample_id, now=timezone.now())


@shared_task
def join_ide_events() -> None:
    """Beat runs this every few seconds: a thumb is a rating as soon as its call is stored."""
    ide_joins.join_events(now=timezone.now())


@shared_task
def join_late_ide_events() -> None:
    """Look for calls that were stored late, after an outage."""
    ide_joins.join_events(now=timezone.now(), reach=ide_joins.WAITS)
