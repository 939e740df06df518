"""Who gets in, and by which link. How they leave is in departures.py."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.accounts import audit
from apps.accounts.models import Invitation, Person, Role, User
from apps.accounts.pseudonyms import new_pseudonym
from apps.core.keys import digest

INVITATION_LASTS: Final = timedelta(days=14)


class EmailTaken(Exception):
    """Somebody signs in with this e-mail already."""


class InvitationNotOpen(Exception):
    """The invitation is unknown, used, revoked or too old; which of them is not told."""


def create_person(*, now: datetime) -> Person:
    """Make a person with a pseudonym that nobody has."""
    return Person.objects.create(pseudonym=free_pseudonym(), created_at=now)


def free_pseudonym() -> str:
    """Return a pseudonym that nobody has. Two at once draw the same one time in millions; the
    constraint refuses the second, who tries again."""
    drawn = new_pseudonym()
    while Person.objects.filter(pseudonym=drawn).exists():
        drawn = new_pseudonym()
    return drawn


@transaction.atomic
def create_user(
    *,
    email: str,
    name: str,
    role: Role | str,
    password: str | None,
    now: datetime,
    person: Person | None = None,
    actor: Person | None = None,
) -> User:
    """Make someone who signs in; without a password they can do so by single sign-on only.

    The password has been validated by the caller. Raises EmailTaken.
    """
    user = User(
        email=_lowered(email),
        name=name.strip(),
        role=Role(role),
        person=person or create_person(now=now),
        date_joined=now,
    )
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken from None
    audit.record_person(actor, "user added", user.person, {"role": user.role}, now)
    return user


@transaction.atomic
def invite(
    *, email: str, role: Role | str, invited_by: Person | None, now: datetime
) -> tuple[Invitation, str]:
    """Invite someone and return the invitation with its token, which is stored nowhere.

    Inviting an address again replaces the open invitation and keeps its person, and with them what
    apps above have attached to that person. Raises EmailTaken.
    """
    email = _lowered(email)
    if User.objects.filter(email=email).exists():
        raise EmailTaken
    earlier = (
        Invitation.objects.select_for_update()
        .filter(email=email, accepted_at=None, person__erased_at=None)
        .order_by("-id")
        .first()
    )
    person = earlier.person if earlier else create_person(now=now)
    Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitation, token = _new_invitation(email, Role(role), person, invited_by, now)
    audit.record_person(invited_by, "person invited", person, {"role": invitation.role}, now)
    return invitation, token


@transaction.atomic
def invite_first_administrator(*, now: datetime) -> str | None:
    """Return the token of a fresh invitation without an address, or None if someone administers.

    Older ones are revoked: only the newest link works.
    """
    if active_administrators().exists():
        return None
    open_ones = Invitation.objects.filter(email="", accepted_at=None, revoked_at=None)
    earlier = open_ones.select_for_update().order_by("-id").first()
    person = earlier.person if earlier else create_person(now=now)
    open_ones.update(revoked_at=now)
    return _new_invitation("", Role.ADMIN, person, None, now)[1]


@transaction.atomic
def accept_invitation(
    *, token: str, email: str, name: str, password: str | None, now: datetime
) -> User:
    """Make the user that was invited. `email` counts only where the invitation names none.

    Raises InvitationNotOpen, EmailTaken.
    """
    invitation = (
        Invitation.objects.select_for_update()
        .select_related("person")
        .filter(digest=digest(token))
        .first()
    )
    if invitation is None or not invitation.is_open(at=now):
        raise InvitationNotOpen
    if not invitation.email and active_administrators().exists():
        raise InvitationNotOpen
    return _accept(invitation, invitation.email or email, name, password, now)


@transaction.atomic
def join_by_single_sign_on(*, email: str, name: str, role: Role | None, now: datetime) -> User:
    """Make the user whom the identity provider vouches for, by their open invitation if any.

    `role` is what the provider says; else the invitation's, else developer. Raises EmailTaken.
    """
    invitation = (
        Invitation.objects.select_for_update()
        .filter(email=_lowered(email), accepted_at=None, revoked_at=None, expires_at__gt=now)
        .order_by("-id")
        .first()
    )
    if invitation is not None:
        invitation.role = role or invitation.role
        return _accept(invitation, email, name, None, now)
    return create_user(email=email, name=name, role=role or Role.DEVELOPER, password=None, now=now)


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, actor: Person | None, now: datetime) -> None:
    """Make the link useless. Raises InvitationNotOpen."""
    still_open = Invitation.objects.filter(
        id=invitation.id, accepted_at=None, revoked_at=None, expires_at__gt=now
    )
    if not still_open.update(revoked_at=now):
        raise InvitationNotOpen
    audit.record_person(actor, "invitation revoked", invitation.person, {}, now)


def rename(*, user: User, name: str) -> None:
    """Change how a user is called on pages."""
    user.name = name.strip()
    user.save(update_fields=["name"])


def active_administrators() -> QuerySet[User]:
    return User.objects.filter(role=Role.ADMIN, is_active=True)


def _accept(
    invitation: Invitation, email: str, name: str, password: str | None, now: datetime
) -> User:
    person = invitation.person
    user = create_user(
        email=email,
        name=name,
        role=invitation.role,
        password=password,
        now=now,
        person=person,
        actor=person,
    )
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    return user


def _new_invitation(
    email: str, role: Role, person: Person, invited_by: Person | None, now: datetime
) -> tuple[Invitation, str]:
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        digest=digest(token),
        email=email,
        role=role,
        person=person,
        invited_by=invited_by,
        created_at=now,
        expires_at=now + INVITATION_LASTS,
    )
    return invitation, token


def _lowered(email: str) -> str:
    return email.strip().lower()
