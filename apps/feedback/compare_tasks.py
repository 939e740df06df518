"""The work beside the pages of comparisons. apps.feedback.tasks makes it known to Celery."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.feedback import comparison_votes
from apps.feedback.compare_answering import answer


@shared_task
def answer_comparison(*, comparison_id: str) -> None:
    """Ask the candidates of one comparison. The prompt is looked up, never handed over."""
    answer(comparison_id=UUID(comparison_id), clock=timezone.now)


@shared_task
def empty_expired_comparisons() -> None:
    """Beat runs this every hour."""
    comparison_votes.empty_expired(now=timezone.now())
