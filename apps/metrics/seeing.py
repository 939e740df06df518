"""Who sees results, or ever saw them: what they say is not blind."""

from django.db.models import Q

from apps.accounts.access import AGGREGATES
from apps.accounts.audit import person_subject
from apps.accounts.models import AuditEntry, Invitation, Person, User

_ADDED = "user added"
_CHANGED = "role changed"


def seeing_people() -> set[int]:
    """Return the ids of all who see aggregates or did once, those since deleted too. Four queries.

    Users are deleted with their role, so that the audit trail is asked, too; of somebody erased,
    whose pseudonym has changed, the invitation that they took is left.
    """
    roles = [role.value for role in AGGREGATES]
    now = User.objects.filter(role__in=roles)
    taken = Invitation.objects.filter(role__in=roles, accepted_at__isnull=False)
    held = Q(action=_ADDED, detail__role__in=roles)
    # A changed role is told as what it was and what it became.
    for role in roles:
        held |= Q(action=_CHANGED, detail__role__contains=[role])
    subjects = AuditEntry.objects.filter(held).values_list("subject", flat=True)
    prefix = person_subject(Person(pseudonym=""))
    pseudonyms = {each.removeprefix(prefix) for each in subjects}
    once = Person.objects.filter(pseudonym__in=pseudonyms)
    return {
        *now.values_list("person_id", flat=True),
        *taken.values_list("person_id", flat=True),
        *once.values_list("id", flat=True),
    }
