"""Hands a comparison to a worker."""

from datetime import datetime
from typing import Final

from kombu.exceptions import OperationalError

from apps.feedback.compare_tasks import answer_comparison
from apps.feedback.comparisons import give_up
from apps.feedback.models import Comparison

# A worker that comes later would find that nobody waits any more.
_EXPIRES_SECONDS: Final = 120


def send(comparison: Comparison, *, now: datetime) -> None:
    """Have the answers asked for. Where no worker can be told, the comparison fails at once."""
    try:
        answer_comparison.apply_async(
            kwargs={"comparison_id": str(comparison.id)}, expires=_EXPIRES_SECONDS, retry=False
        )
    except OperationalError:
        give_up(comparison_id=comparison.id, now=now)
