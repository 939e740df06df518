"""Calls of models that run on developers' own machines: told by their editors, estimated, apart.

They stand in no other sum, take no turns and cost the team nothing that is known here.
"""

from dataclasses import dataclass

from django.db.models import Count, Sum

from apps.catalog.models import Candidate
from apps.core.periods import Period
from apps.metrics.readers import Reader
from apps.pilots.models import Pilot
from apps.usage.models import Call

IDE = "ide"


@dataclass(frozen=True, slots=True)
class LocalModel:
    """One candidate's calls on developers' own machines; None where too few people made them."""

    candidate: Candidate
    people: str
    calls: int | None
    tokens: int | None


def local_models(pilot: Pilot, period: Period, *, reader: Reader) -> list[LocalModel]:
    """Return what editors told of local models in a period. Two queries."""
    rows = list(
        Call.objects.filter(
            pilot_id=pilot.id,
            source=IDE,
            admitted_at__gte=period.start,
            admitted_at__lt=period.end,
        )
        .values("candidate_id")
        .annotate(
            calls=Count("id"),
            people=Count("person_id", distinct=True),
            sent=Sum("prompt_tokens", default=0),
            made=Sum("completion_tokens", default=0),
        )
        .order_by("-calls", "candidate_id")
    )
    candidates = Candidate.objects.in_bulk([row["candidate_id"] for row in rows])
    return [
        LocalModel(
            candidates[row["candidate_id"]],
            reader.size(row["people"]),
            None if reader.counts_few(row["people"]) else row["calls"],
            None if reader.counts_few(row["people"]) else row["sent"] + row["made"],
        )
        for row in rows
    ]
