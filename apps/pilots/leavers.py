"""What becomes of somebody's keys when accounts shuts them out or erases them."""

from datetime import datetime

from apps.accounts.models import Person
from apps.changes.actions import routes_changed
from apps.pilots.models import Key


def revoke_keys_of(person: Person, now: datetime) -> None:
    """Make every key of a person useless at once. Runs in the caller's transaction."""
    in_force = Key.objects.filter(enrollment__person=person, revoked_at__isnull=True)
    if in_force.update(revoked_at=now):
        routes_changed()


def forget_key_names_of(person: Person, now: datetime) -> None:
    """Blank what a person called their keys: it may be a name."""
    Key.objects.filter(enrollment__person=person).update(name="")
