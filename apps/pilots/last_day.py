"""A pilot that nobody ends still ends with its last day: announced three days before, and closed.

Whoever announced nothing is told: by the log, the audit trail and the letter that all get.
"""

from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts.models import Person
from apps.pilots.closing import NOTICE, announce, take_back, told_of, write_letters
from apps.pilots.happenings import happened
from apps.pilots.models import LetterKind, Pilot
from apps.pilots.trail import note


class ClosesLater(Exception):
    """A closing is announced for later than the last day would end."""


def ending_pilots(*, now: datetime) -> list[int]:
    """Return the pilots whose last day may be near or over and of which no closing is announced."""
    soon = (now + NOTICE + timedelta(days=1)).date()
    ending = Pilot.objects.filter(
        started_at__isnull=False, closed_at__isnull=True, closes_at__isnull=True, ends_on__lte=soon
    )
    return list(ending.order_by("ends_on", "id").values_list("id", flat=True))


@transaction.atomic
def end_by_itself(*, pilot_id: int, now: datetime) -> bool:
    """Announce that a pilot closes when its last day ends, three days before or as soon as it is
    seen; where that is over, close it as of then. False where there is nothing to do.
    """
    locked = Pilot.objects.select_for_update().get(id=pilot_id)
    is_seen_to = locked.closed_at is not None or locked.closes_at is not None
    end = locked.period.end
    if locked.is_draft or is_seen_to or now < end - NOTICE:
        return False
    if now < end:
        announce(locked, end, now=now)
        return True
    locked.closed_at = end
    locked.save(update_fields=["closed_at"])
    happened(locked, "Closed: its last day was over", now=end)
    note(locked, "pilot closed", None, now, {"as": "its last day was over"} | told_of(locked))
    if now < end + NOTICE:  # later it is no news
        write_letters(locked, LetterKind.CLOSED, end, now, with_leads=True)
    return True


def follow_last_day(
    before: Pilot, changed: Pilot, *, now: datetime, actor: Person | None = None
) -> None:
    """Take an announcement for the end of the last day back where that was moved to later; another
    comes in time, and what was chosen for afterwards stays. Raises ClosesLater.
    """
    closes_at, end = changed.closes_at, changed.period.end
    if closes_at is None:
        return
    if closes_at > end:
        raise ClosesLater(str(closes_at))
    if closes_at == before.period.end and closes_at < end:
        take_back(changed, closes_at, now=now, actor=actor)
