"""Inviting people straight into a pilot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.accounts.actions import invite
from apps.accounts.mail import Letter, letter
from apps.accounts.models import Person, Role, User
from apps.pilots.actions import enroll
from apps.pilots.models import Pilot


@dataclass(frozen=True, slots=True)
class Invited:
    """Letters with links that exist nowhere else, and who needed none."""

    letters: list[Letter]
    enrolled: list[str]


@transaction.atomic
def invite_to_pilot(
    *, pilot: Pilot, emails: Sequence[str], by: Person | None, now: datetime
) -> Invited:
    """Enroll everybody by e-mail; whoever does not sign in yet is invited as a developer.

    Enrolled with their invitation, they are counted from the first day. Raises PilotClosed.
    """
    letters, enrolled = [], []
    for email in emails:
        user = User.objects.filter(email__iexact=email).select_related("person").first()
        if user is not None:
            enroll(pilot=pilot, person=user.person, now=now, actor=by)
            enrolled.append(email)
            continue
        invitation, token = invite(email=email, role=Role.DEVELOPER, invited_by=by, now=now)
        enroll(pilot=pilot, person=invitation.person, now=now, actor=by)
        letters.append(letter(invitation, token))
    return Invited(letters, enrolled)
