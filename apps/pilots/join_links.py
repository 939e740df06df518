"""Links by which people join a pilot by themselves. Only a link's digest is stored."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from apps.accounts.actions import EmailTaken, create_user, invite
from apps.accounts.mail import Letter, letter
from apps.accounts.models import Invitation, Person, Role, User
from apps.core.keys import digest
from apps.pilots.actions import enroll
from apps.pilots.models import Enrollment, JoinLink, Pilot
from apps.pilots.trail import note, open_pilot


class LinkNotOpen(Exception):
    """The link is unknown, revoked, too old or used up, or its pilot is over; which is not told."""


class WrongDomain(Exception):
    """The link is for addresses of other domains."""


@transaction.atomic
def make_join_link(
    *,
    pilot: Pilot,
    email_domains: Sequence[str],
    most_uses: int,
    lasts: timedelta,
    now: datetime,
    actor: Person | None = None,
) -> tuple[JoinLink, str]:
    """Return a link with the secret part of its address, which is nowhere stored.

    Raises PilotClosed.
    """
    locked = open_pilot(pilot)
    secret = secrets.token_urlsafe(32)
    link = JoinLink.objects.create(
        pilot=locked,
        digest=digest(secret),
        hint=f"…{secret[-4:]}",
        email_domains=list(email_domains),
        most_uses=most_uses,
        created_by=actor,
        created_at=now,
        expires_at=now + lasts,
    )
    detail = {"link": link.hint, "domains": list(email_domains), "most": most_uses}
    note(locked, "join link made", actor, now, detail | {"until": link.expires_at})
    return link, secret


@transaction.atomic
def revoke_join_link(*, link: JoinLink, now: datetime, actor: Person | None = None) -> None:
    """Make a link useless at once; a second time changes nothing. Who joined by it stays."""
    if JoinLink.objects.filter(id=link.id, revoked_at__isnull=True).update(revoked_at=now):
        note(link.pilot, "join link revoked", actor, now, {"link": link.hint})


def join_link_of(secret: str) -> JoinLink | None:
    """Return the link with its pilot, open or not; None where there never was one."""
    return JoinLink.objects.select_related("pilot").filter(digest=digest(secret)).first()


def is_open(link: JoinLink, *, now: datetime) -> bool:
    """Tell whether somebody new may join by the link."""
    return (
        link.revoked_at is None
        and now < link.expires_at
        and link.uses < link.most_uses
        and link.pilot.closed_at is None
    )


def takes_part(link: JoinLink, user: User) -> bool:
    """Tell whether somebody is in the link's pilot already."""
    there = Enrollment.objects.filter(pilot_id=link.pilot_id, person_id=user.person_id)
    return there.filter(left_at__isnull=True).exists()


def admits(link: JoinLink, email: str) -> bool:
    """Tell whether the link is for this address."""
    return not link.email_domains or email.rpartition("@")[2].lower() in link.email_domains


@transaction.atomic
def join_by_link(*, link: JoinLink, user: User, now: datetime) -> Enrollment:
    """Let somebody who signs in take part; whoever does already uses nothing up.

    Raises LinkNotOpen, WrongDomain, PilotClosed.
    """
    if not takes_part(link, user):
        _use(link, user.email, now)
    return enroll(pilot=link.pilot, person=user.person, now=now, actor=user.person)


@transaction.atomic
def sign_up_by_link(
    *, link: JoinLink, email: str, name: str, password: str, now: datetime
) -> User | None:
    """Make a developer who takes part; None, and nothing made, where the address is somebody's.

    The password has been validated by the caller. Raises LinkNotOpen, WrongDomain, PilotClosed.
    """
    if _is_somebodys(email, now=now) or _awaits(email, now=now).exists():
        if not admits(link, email):
            raise WrongDomain
        # As long as making a user takes, so that a clock does not tell what the page does not.
        User().set_password(password)
        return None
    _use(link, email, now)
    try:
        user = create_user(email=email, name=name, role=Role.DEVELOPER, password=password, now=now)
    except EmailTaken:
        raise LinkNotOpen from None
    enroll(pilot=link.pilot, person=user.person, now=now, actor=user.person)
    return user


@transaction.atomic
def invite_by_link(*, link: JoinLink, email: str, now: datetime) -> Letter | None:
    """Enroll whoever owns the address and return their invitation; None where it is somebody's.

    Asking again replaces the letter and uses nothing up. Raises as sign_up_by_link.
    """
    if _is_somebodys(email, now=now):
        if not admits(link, email):
            raise WrongDomain
        return None
    invitation, token = invite(email=email, role=Role.DEVELOPER, invited_by=None, now=now)
    there = Enrollment.objects.filter(
        pilot_id=link.pilot_id, person=invitation.person, left_at__isnull=True
    )
    if not there.exists():
        _use(link, email, now)
        enroll(pilot=link.pilot, person=invitation.person, now=now, actor=invitation.person)
    return letter(invitation, token)


def _awaits(email: str, *, now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        email=email.lower(), accepted_at=None, revoked_at=None, expires_at__gt=now
    )


def _is_somebodys(email: str, *, now: datetime) -> bool:
    """Whoever holds a link must not be able to replace what an administrator has sent."""
    if User.objects.filter(email__iexact=email).exists():
        return True
    return _awaits(email, now=now).exclude(invited_by=None, role=Role.DEVELOPER).exists()


def _use(link: JoinLink, email: str, now: datetime) -> None:
    if not admits(link, email):
        raise WrongDomain
    still_open = JoinLink.objects.filter(
        id=link.id, revoked_at__isnull=True, expires_at__gt=now, uses__lt=F("most_uses")
    )
    if not still_open.update(uses=F("uses") + 1):
        raise LinkNotOpen
