"""Whether anything has changed that a pilot's findings rest on: cheap sums, no arrays."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db.models import Count, Max, Model, QuerySet

from apps.core.rotation import working_day
from apps.feedback.models import Comparison, DailyQuestion, IdeEvent, Rating, SampledAnswer
from apps.metrics.findings import FORMAT
from apps.metrics.seeing import seeing_people
from apps.pilots.models import Goal, IncumbentDay, Pilot, Plan, RotationEra, Swap, Trial


def evidence_digest(pilot: Pilot, *, now: datetime) -> str:
    """Return a digest that changes with a pilot's evidence, its plan, and its working day.

    Fifteen small queries. The day is in it because looks come, and paces change, by days.
    """
    ends = f"{pilot.closed_at}:{pilot.unblinded_at}"
    told = sha256(f"{FORMAT}:{working_day(now, pilot.zone_info)}:{ends}".encode())
    for part in _parts(pilot):
        told.update(repr(part).encode())
    return told.hexdigest()


def _parts(pilot: Pilot) -> Iterator[Any]:
    of_pilot = {"pilot_id": pilot.id}
    answered = ("score", "answered_at", "updated_at", "withdrawn_at", "skipped_at")
    yield _sums(DailyQuestion.objects.filter(**of_pilot), *answered)
    events = IdeEvent.objects.filter(**of_pilot)
    yield _sums(events, "candidate_id", "is_accepted", "received_at")
    # Some completions are left first and taken later: the same row.
    yield events.filter(is_accepted=True).count()
    voted = ("ready_at", "voted_at", "updated_at", "withdrawn_at")
    yield _sums(Comparison.objects.filter(**of_pilot), *voted)
    yield _sums(Rating.objects.filter(**of_pilot), "updated_at", "withdrawn_at")
    yield _sums(SampledAnswer.objects.filter(**of_pilot), "asked_at")
    yield _sums(Swap.objects.filter(rotation__pilot=pilot), "at")
    yield list(
        RotationEra.objects.filter(rotation__pilot=pilot)
        .order_by("id")
        .values_list("id", "first_day", "candidate_ids", "rotation__ended_at")
    )
    yield _sums(Trial.objects.filter(pilot=pilot), "dropped_at")
    yield list(Goal.objects.filter(pilot=pilot).order_by("id").values_list())
    yield list(Plan.objects.filter(pilot=pilot).order_by("id").values_list())
    yield _sums(IncumbentDay.objects.filter(incumbent__pilot=pilot), "recorded_at")
    yield sorted(seeing_people())


def _sums(rows: QuerySet[Model], *fields: str) -> Any:
    """Return how many rows there are, and of each field how many are set and which is the last."""
    sums: dict[str, Any] = {"rows": Count("pk")}
    for name in fields:
        sums[f"{name}_set"] = Count(name)
        if name.endswith("_at"):
            sums[f"{name}_last"] = Max(name)
    return sorted(rows.aggregate(**sums).items(), key=lambda each: each[0])
