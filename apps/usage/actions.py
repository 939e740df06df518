"""Seeing to dead letters."""

from datetime import datetime

from django.db import transaction

from apps.usage.incoming import read_record
from apps.usage.ingest import store_records
from apps.usage.models import DeadLetter


def settle_dead_letter(*, letter: DeadLetter, now: datetime) -> None:
    """Mark a letter as seen to; it is kept."""
    DeadLetter.objects.filter(id=letter.id, settled_at=None).update(settled_at=now)


@transaction.atomic
def retry_dead_letter(*, letter: DeadLetter, now: datetime) -> int:
    """Store a letter's record after all, and settle it; return how many calls were new.

    Raises Unstorable, DataError or IntegrityError where it still cannot be stored.
    """
    stored = store_records([read_record(bytes(letter.raw), now=now)])
    settle_dead_letter(letter=letter, now=now)
    return stored
