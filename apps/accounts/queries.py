"""What the people and audit pages show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from apps.accounts.models import AuditEntry, Invitation, Person, Role, User
from apps.core.keys import digest

AUDIT_PAGE = 50


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user as administrators see them."""

    id: int
    name: str
    email: str
    role: str
    is_active: bool
    is_you: bool
    second_factor: str
    last_login: datetime | None
    pseudonym: str


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One invitation that can still be accepted, or has run out unanswered."""

    id: int
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change: `actor` and `subject` as people know them, where they still have a name."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: list[tuple[str, str]]


def users(*, you: User) -> list[UserRow]:
    """Return everybody who signs in, active ones first, by name."""
    totp = Authenticator.objects.filter(user=OuterRef("id"), type=Authenticator.Type.TOTP)
    rows = (
        User.objects.select_related("person")
        .annotate(has_totp=Exists(totp))
        .order_by("-is_active", "name", "email", "id")
    )
    return [_row(user, you=you, has_totp=user.has_totp) for user in rows]


def user_row(user: User, *, you: User) -> UserRow:
    """Return one user as administrators see them."""
    totp = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP)
    return _row(user, you=you, has_totp=totp.exists())


def name_of(person: Person) -> str:
    """Return a person's name where they still have one, else the pseudonym."""
    user = getattr(person, "user", None)
    return user.display_name if user else person.pseudonym


def pending_invitations(*, now: datetime) -> list[InvitationRow]:
    """Return invitations that wait for an answer or ran out without one, newest first."""
    rows = (
        Invitation.objects.filter(accepted_at=None, revoked_at=None)
        .exclude(email="")
        .select_related("invited_by__user")
        .order_by("-created_at", "-id")
    )
    return [
        InvitationRow(
            id=row.id,
            email=row.email,
            role=Role(row.role).label,
            invited_by=_known_as(row.invited_by),
            created_at=row.created_at,
            expires_at=row.expires_at,
            is_open=row.is_open(at=now),
        )
        for row in rows
    ]


def open_invitation(token: str, *, now: datetime) -> Invitation | None:
    """Return the invitation that a link opens, if it still can be accepted."""
    invitation = Invitation.objects.filter(digest=digest(token)).first()
    return invitation if invitation is not None and invitation.is_open(at=now) else None


def audit_page(*, before: int | None) -> tuple[list[AuditRow], int | None]:
    """Return a page of changes, newest first, and the cursor of the next one."""
    entries = AuditEntry.objects.select_related("actor__user").order_by("-id")
    if before is not None:
        entries = entries.filter(id__lt=before)
    found = list(entries[: AUDIT_PAGE + 1])
    page = found[:AUDIT_PAGE]
    names = _names_of({entry.subject for entry in page})
    rows = [
        AuditRow(
            id=entry.id,
            at=entry.at,
            actor=_known_as(entry.actor),
            action=entry.action,
            subject=names.get(entry.subject, entry.subject),
            detail=[
                (name.replace("_", " "), _plain(value)) for name, value in entry.detail.items()
            ],
        )
        for entry in page
    ]
    return rows, page[-1].id if len(found) > AUDIT_PAGE else None


def _row(user: User, *, you: User, has_totp: bool) -> UserRow:
    return UserRow(
        id=user.id,
        name=user.name,
        email=user.email,
        role=Role(user.role).label,
        is_active=user.is_active,
        is_you=user.id == you.id,
        second_factor=_second_factor(user, has_totp=has_totp),
        last_login=user.last_login,
        pseudonym=user.person.pseudonym,
    )


def _names_of(subjects: set[str]) -> dict[str, str]:
    """Return what to call the people among the subjects, those invited included."""
    pseudonyms = [each.removeprefix("person ") for each in subjects if each.startswith("person ")]
    invited = Invitation.objects.filter(person__pseudonym__in=pseudonyms).exclude(email="")
    users = User.objects.filter(person__pseudonym__in=pseudonyms)
    named = [
        *invited.order_by("id").values_list("person__pseudonym", "email"),
        *users.values_list("person__pseudonym", "email"),
    ]
    return {f"person {pseudonym}": email for pseudonym, email in named}


def _known_as(person: Any) -> str:
    if person is None:
        return "the system"
    user = getattr(person, "user", None)
    return str(user.email if user is not None else person.pseudonym)


def _plain(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, list):
        # A pair is what a field was and what it is now.
        return (" → " if len(value) == 2 else ", ").join(map(_plain, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    return str(value)


def _second_factor(user: User, *, has_totp: bool) -> str:
    if has_totp:
        return "on"
    if not user.has_usable_password():
        return "by single sign-on"
    if user.totp_exempt:
        return "exempt (demo)"
    return "at next sign-in" if user.is_admin else "off"
