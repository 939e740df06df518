"""Signed links to rate one answer without signing in. Each names call, pilot and person."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from apps.usage.models import Call

LASTS: Final = timedelta(days=7)
_SALT: Final = "apps.feedback.links"


class NotALink(Exception):
    """Nobody made this link, or somebody changed it."""


class LinkExpired(Exception):
    """The link is too old."""


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link lets rate what, and until when."""

    call_id: UUID
    pilot_id: int
    person_id: int
    expires_at: datetime


def make_token(call: Call, *, now: datetime) -> str:
    """Return the token by which the maker of a call may rate it, and nobody anything else."""
    until = int((now + LASTS).timestamp())
    return signer(_SALT).sign_object([call.id.hex, call.pilot_id, call.person_id, until])


def read_token(token: str, *, now: datetime) -> Link:
    """Return what a token names. Raises NotALink, LinkExpired."""
    try:
        call_id, pilot_id, person_id, until = signer(_SALT).unsign_object(token)
    except (BadSignature, ValueError):
        raise NotALink from None
    expires_at = datetime.fromtimestamp(until, UTC)
    if expires_at <= now:
        raise LinkExpired
    return Link(UUID(call_id), pilot_id, person_id, expires_at)


def page_url(token: str) -> str:
    """Return the whole address of the page on which the answer is rated."""
    return f"{settings.SITE_URL}{reverse('rate_by_link', args=[token])}"


def widget_url(token: str) -> str:
    """Return the whole address of the frame in which the answer is rated."""
    return f"{settings.SITE_URL}{reverse('widget', args=[token])}"


def signer(salt: str) -> Signer:
    """Return what signs tokens for addresses."""
    # A colon is escaped by some programs that make addresses clickable.
    return Signer(salt=salt, sep=".")
