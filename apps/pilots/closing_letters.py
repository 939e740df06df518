"""Sending what people are told of the end of a pilot: each letter once.

The table is the queue, and the schedule the retry. A worker that dies between the mail and the note
of it sends again after CLAIM_LASTS: the rare duplicate is chosen over a letter that is lost.
"""

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from apps.pilots.models import AfterClose, ClosingLetter

CLAIM_LASTS: Final = timedelta(minutes=10)
# After so long, a letter that no mail server took would only confuse.
GIVEN_UP_AFTER: Final = timedelta(days=2)


def waiting_letters(*, now: datetime) -> list[int]:
    """Return the letters that nobody has taken, oldest first."""
    waiting = ClosingLetter.objects.filter(
        _unclaimed(now), sent_at=None, created_at__gt=now - GIVEN_UP_AFTER
    )
    return list(waiting.order_by("id").values_list("id", flat=True))


def send_letter(*, letter_id: int, now: datetime) -> bool:
    """Send one letter. False when it has gone out, another worker has it, or its reader left.

    No transaction is open while the mail server talks. Raises what the mail server answers.
    """
    mine = ClosingLetter.objects.filter(_unclaimed(now), id=letter_id, sent_at=None)
    if not mine.update(claimed_at=now):
        return False
    letter = ClosingLetter.objects.select_related("recipient", "pilot").get(id=letter_id)
    if not letter.recipient.is_active:
        return False
    compose(letter).send()
    ClosingLetter.objects.filter(id=letter_id).update(sent_at=now)
    return True


def compose(letter: ClosingLetter) -> EmailMessage:
    """Write a letter, in the pilot's time zone. It names no candidate: the pilot is blind."""
    pilot = letter.pilot
    context = {
        "kind": letter.kind,
        "pilot": pilot,
        "closes_at": letter.closes_at,
        "goes_on": pilot.after_close != AfterClose.GONE,
        "rate": settings.SITE_URL + reverse("rate", args=[pilot.slug]),
        "site": settings.SITE_URL,
    }
    with timezone.override(pilot.zone_info):
        # A name may hold a line break, a header must not.
        subject = " ".join(render_to_string("pilots/email/closing_subject.txt", context).split())
        text = render_to_string("pilots/email/closing_message.txt", context)
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(subject, text, to=[letter.recipient.email], headers=headers)


def _unclaimed(now: datetime) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
