"""What becomes of users once they are in: their role, their sessions, and how they leave."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from apps.accounts import audit
from apps.accounts.actions import active_administrators, free_pseudonym
from apps.accounts.models import Invitation, Person, Role, User

PersonListener = Callable[[Person, datetime], None]
_departure_listeners: list[PersonListener] = []
_erasure_listeners: list[PersonListener] = []


class LastAdministrator(Exception):
    """Without this one nobody could administer the site."""


def on_departure(listener: PersonListener) -> None:
    """Have a function called, in the same transaction, when a person is shut out.

    It is where apps above revoke what lets somebody in, such as keys. Called for deactivation,
    deletion and erasure.
    """
    _departure_listeners.append(listener)


def on_erasure(listener: PersonListener) -> None:
    """Have a function called, in the same transaction, when a person is erased.

    It is where apps above remove what somebody wrote.
    """
    _erasure_listeners.append(listener)


@transaction.atomic
def change_role(*, user: User, role: Role | str, actor: Person | None, now: datetime) -> None:
    """Give a user another role; it counts from their next click. Raises LastAdministrator."""
    if role != Role.ADMIN:
        _keep_an_administrator(user)
    before, user.role = user.role, Role(role)
    user.save(update_fields=["role"])
    audit.record_person(actor, "role changed", user.person, {"role": [before, user.role]}, now)


@transaction.atomic
def deactivate(*, user: User, actor: Person | None, now: datetime) -> None:
    """Shut a user out at once: sessions end, keys are revoked. Raises LastAdministrator."""
    _keep_an_administrator(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    audit.record_person(actor, "user deactivated", user.person, {}, now)
    _tell(_departure_listeners, user.person, now)


@transaction.atomic
def reactivate(*, user: User, actor: Person | None, now: datetime) -> None:
    """Let a user in again; sessions and keys from before stay dead."""
    user.is_active = True
    user.sign_outs = F("sign_outs") + 1
    user.save(update_fields=["is_active", "sign_outs"])
    user.refresh_from_db(fields=["sign_outs"])
    audit.record_person(actor, "user reactivated", user.person, {}, now)


@transaction.atomic
def sign_out_everywhere(*, user: User, actor: Person | None, now: datetime) -> None:
    """End every session of a user, the present one included."""
    user.sign_outs = F("sign_outs") + 1
    user.save(update_fields=["sign_outs"])
    user.refresh_from_db(fields=["sign_outs"])
    audit.record_person(actor, "signed out everywhere", user.person, {}, now)


@transaction.atomic
def delete_person(*, user: User, actor: Person | None, now: datetime) -> None:
    """Delete name, e-mail and way in; the pseudonym and its history stay.

    Raises LastAdministrator.
    """
    _keep_an_administrator(user)
    audit.record_person(actor, "person deleted", user.person, {}, now)
    _forget(user.person, now)


@transaction.atomic
def erase(*, person: Person, actor: Person | None, now: datetime) -> None:
    """Delete a person, have apps above remove what they wrote, and change the pseudonym.

    Whoever remembers the old one finds nothing under it; sums and counts of people stay as they
    are. Raises LastAdministrator.
    """
    user = User.objects.filter(person=person).first()
    if user is not None:
        _keep_an_administrator(user)
    audit.record_person(actor, "person erased", person, {}, now)
    _forget(person, now)
    _tell(_erasure_listeners, person, now)
    person.erased_at = now
    person.pseudonym = free_pseudonym()
    person.save(update_fields=["erased_at", "pseudonym"])


def _forget(person: Person, now: datetime) -> None:
    _tell(_departure_listeners, person, now)
    invitations = Invitation.objects.filter(person=person)
    invitations.filter(accepted_at=None, revoked_at=None).update(revoked_at=now)
    invitations.update(email="")
    User.objects.filter(person=person).delete()


def _keep_an_administrator(user: User) -> None:
    # The lock makes two who demote each other queue; the second finds itself the last.
    administrators = active_administrators().select_for_update().order_by("id")
    if [administrator.id for administrator in administrators] == [user.id]:
        raise LastAdministrator


def _tell(listeners: list[PersonListener], person: Person, now: datetime) -> None:
    for listener in listeners:
        listener(person, now)
