"""Seeing to dead letters."""

from datetime import datetime

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Person
from apps.usage.incoming import read_record
from apps.usage.ingest import store_records
from apps.usage.models import DeadLetter


@transaction.atomic
def settle_dead_letter(*, letter: DeadLetter, now: datetime, actor: Person | None = None) -> bool:
    """Mark a letter as seen to; it is kept. Return False if it was settled before."""
    if not _settle(letter, now=now):
        return False
    _note(letter, "dead letter settled", actor, now)
    return True


@transaction.atomic
def retry_dead_letter(*, letter: DeadLetter, now: datetime, actor: Person | None = None) -> int:
    """Store a letter's record after all, and settle it; return how many calls were new.

    Raises Unstorable, DataError or IntegrityError where it still cannot be stored.
    """
    stored = store_records([read_record(bytes(letter.raw), now=now)])
    if _settle(letter, now=now):
        _note(letter, "dead letter stored after all", actor, now, new_calls=stored)
    return stored


def _settle(letter: DeadLetter, *, now: datetime) -> bool:
    open_letters = DeadLetter.objects.filter(id=letter.id, settled_at=None)
    return bool(open_letters.update(settled_at=now))


def _note(
    letter: DeadLetter, action: str, actor: Person | None, now: datetime, **detail: int
) -> None:
    subject = f"dead letter {letter.entry_id}"
    audit.record(actor=actor, action=action, subject=subject, detail=detail, now=now)
