"""Reads of editors' events."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q

from apps.feedback.ide_events import AUTOCOMPLETE, EDIT_OUTCOME, NEXT_EDIT
from apps.feedback.models import IdeEvent
from apps.pilots.models import Pilot, UseRole

# What can be shown and taken. A tool's use is accepted too, and a chat liked, but neither is this.
SHOWN = {
    UseRole.COMPLETION: (AUTOCOMPLETE, NEXT_EDIT),
    UseRole.EDIT: (EDIT_OUTCOME,),
}


@dataclass(frozen=True, slots=True)
class AcceptanceDay:
    """What a person was shown of a candidate in a role on a working day, and took of it.

    `candidate_id` is whom the day had assigned. Acceptance = accepted / shown.
    """

    person_id: int
    day: date
    candidate_id: int
    role: str
    shown: int
    accepted: int


def acceptance_days(pilot: Pilot) -> list[AcceptanceDay]:
    """Return completions and edits shown and accepted, by person, working day and candidate.

    What counts: events within the pilot's time of its own candidates, that were taken or left.
    Those of models on developers' own machines are reported apart. One query.
    """
    is_shown = Q()
    for role, kinds in SHOWN.items():
        is_shown |= Q(role=role, kind__in=kinds)
    rows = (
        IdeEvent.objects.filter(
            is_shown,
            pilot_id=pilot.id,
            at__gte=pilot.period.start,
            at__lt=pilot.period.end,
            candidate_id__isnull=False,
            is_accepted__isnull=False,
            is_local=False,
        )
        .values_list("person_id", "day", "candidate_id", "role")
        .annotate(shown=Count("id"), accepted=Count("id", filter=Q(is_accepted=True)))
        .order_by("person_id", "day", "role", "candidate_id")
    )
    return [AcceptanceDay(*row) for row in rows]
