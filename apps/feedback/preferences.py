"""How a person wants to be asked in a pilot, which they alone decide."""

from datetime import datetime
from typing import Final

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction

from apps.accounts.mail import is_set_up
from apps.accounts.models import Person
from apps.catalog.posting import NotPostable, post_json, target_of
from apps.core.secrets import CannotOpen, open_token, reseal, seal
from apps.feedback.models import AskPreference, Channel
from apps.pilots.models import Enrollment

USUAL_HOUR: Final = 16
LONGEST_ADDRESS: Final = 500
HINT: Final = 4


class NoWebhook(Exception):
    """There is no address to post to, or one that our keys no longer open."""


class NoMail(Exception):
    """This installation sends no mail."""


def preference_of(enrollment: Enrollment) -> AskPreference:
    """Return how somebody wants to be asked; unsaved and usual where they never said."""
    standing = AskPreference.objects.filter(enrollment=enrollment).first()
    if standing is None:
        return AskPreference(enrollment=enrollment, hour=USUAL_HOUR)
    standing.enrollment = enrollment  # as the caller has loaded it
    return standing


@transaction.atomic
def choose(
    *, enrollment: Enrollment, channel: str, hour: int, now: datetime, webhook: str = ""
) -> AskPreference:
    """Store how and from which hour on to ask. An empty address keeps the one that is known.

    An address is kept for the webhook alone, and forgotten with any other choice. Raises NoWebhook,
    NoMail, NotPostable.
    """
    Enrollment.objects.select_for_update().get(id=enrollment.id)
    wish = preference_of(enrollment)
    if channel == Channel.EMAIL and not is_set_up():
        raise NoMail
    if channel != Channel.WEBHOOK:
        wish.webhook = wish.webhook_hint = ""
    elif webhook:
        wish.webhook_hint = _hint(webhook)
        wish.webhook = seal(webhook, settings.ENCRYPTION_KEYS)
    elif not wish.webhook:
        raise NoWebhook
    wish.channel, wish.hour, wish.changed_at = channel, hour, now
    if wish.pk is None:
        wish.save()
    else:
        wish.save(update_fields=["channel", "hour", "webhook", "webhook_hint", "changed_at"])
    return wish


def stop(*, enrollment: Enrollment, now: datetime) -> AskPreference:
    """Ask a person no more, until they choose again."""
    return choose(
        enrollment=enrollment,
        channel=Channel.OFF,
        hour=preference_of(enrollment).hour,
        now=now,
    )


def address_of(wish: AskPreference) -> str:
    """Return the address of the webhook in the clear. Raises NoWebhook."""
    try:
        return open_token(wish.webhook, settings.ENCRYPTION_KEYS)
    except CannotOpen:
        raise NoWebhook from None


def post(wish: AskPreference, message: object) -> None:
    """Post a message to a person's chat. No transaction may be open. Raises NotPostable."""
    try:
        address = address_of(wish)
    except NoWebhook:
        raise NotPostable("The address cannot be opened any more; type it again.") from None
    async_to_sync(post_json)(address, message)


def forget_webhooks(person: Person, now: datetime) -> None:
    """Forget the addresses of somebody who left. Runs in the caller's transaction."""
    AskPreference.objects.filter(enrollment__person=person).exclude(webhook="").update(
        channel=Channel.PAGE, webhook="", webhook_hint="", changed_at=now
    )


@transaction.atomic
def reseal_webhooks() -> int:
    """Seal every address again with the newest key; return how many. Raises CannotOpen."""
    wishes = AskPreference.objects.select_for_update().exclude(webhook="").order_by("id")
    for wish in wishes:
        wish.webhook = reseal(wish.webhook, settings.ENCRYPTION_KEYS)
        wish.save(update_fields=["webhook"])
    return len(wishes)


def _hint(address: str) -> str:
    """Name an address by its host and last letters. Raises NotPostable."""
    host = target_of(address).host
    return f"{host}, ends in {address[-HINT:]}"[:80]
