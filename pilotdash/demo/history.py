"""The past of the sample pilots: calls through the real stream and drain, then ratings of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import redis
from django.conf import settings

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.periods import Period
from apps.feedback.actions import rate
from apps.gateway.contract import STREAM, CallRecord
from apps.pilots.models import Enrollment, Key, Pilot, Trial
from apps.usage.generator import Caller, CandidateShape, Pick, generate_calls
from apps.usage.models import Call
from pilotdash.demo.cast import COMMENTS, DEVELOPERS, TAGS, SimulatedModel

SEED = 20_231_027
BATCH = 500
RATED = 0.16
COMMENTED = 0.12


@dataclass(frozen=True, slots=True)
class Told:
    """A rating that a made-up developer gives."""

    call_id: UUID
    person_id: int
    is_liked: bool
    tags: tuple[str, ...]
    comment: str
    at: datetime


def shapes_of(pilot: Pilot, models: Sequence[SimulatedModel]) -> dict[int, CandidateShape]:
    """Return how the candidates of a pilot behave, by id."""
    trials = {trial.alias: trial for trial in Trial.objects.filter(pilot=pilot)}
    return {
        trials[model.alias].candidate_id: CandidateShape(
            candidate_id=trials[model.alias].candidate_id,
            provider_id=Candidate.objects.get(id=trials[model.alias].candidate_id).provider_id,
            alias=model.alias,
            first_content_ms=model.first_content_ms,
            tokens_per_s=model.tokens_per_s,
            failure_rate=model.failure_rate,
            weight=model.weight,
        )
        for model in models
    }


def make_calls(
    *,
    pilot: Pilot,
    period: Period,
    shapes: Mapping[int, CandidateShape],
    count: int,
    pick: Pick | None = None,
) -> list[CallRecord]:
    """Return the calls of a pilot's past, the same ones each time."""
    return list(
        generate_calls(
            seed=SEED + pilot.id,
            pilot_id=pilot.id,
            period=period,
            zone=pilot.zone_info,
            callers=_callers(pilot),
            candidates=list(shapes.values()),
            count=count,
            pick=pick,
        )
    )


def _callers(pilot: Pilot) -> list[Caller]:
    by_name = {name: (weight, first, last) for name, weight, first, last in DEVELOPERS}
    callers = []
    enrollments = Enrollment.objects.filter(pilot=pilot).select_related("person__user")
    for enrollment in enrollments.order_by("id"):
        key = Key.objects.filter(enrollment=enrollment).order_by("id").first()
        if key is not None:
            weight, first, last = by_name[enrollment.person.user.name]
            callers.append(Caller(enrollment.person_id, key.id, weight, first, last))
    return callers


def ship(records: Iterable[CallRecord]) -> None:
    """Put records on the stream as a gateway's journal does."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        pipeline = client.pipeline(transaction=False)
        for number, record in enumerate(records, start=1):
            pipeline.xadd(STREAM, {"r": record.to_json()})
            if number % BATCH == 0:
                pipeline.execute()
        pipeline.execute()


def make_ratings(
    records: Sequence[CallRecord], models: Mapping[int, SimulatedModel], *, seed: int, share: float
) -> list[Told]:
    """Return what the developers said of some of these calls, the same each time."""
    rng = np.random.default_rng(seed)
    told = []
    for record in records:
        if not record.rateable or rng.random() >= share:
            continue
        # Some people are easier to please than others.
        leaning = ((record.person_id * 37) % 11 - 5) / 60
        is_liked = bool(rng.random() < models[record.candidate_id].liked + leaning)
        tags = rng.choice(TAGS[is_liked], size=int(rng.integers(0, 3)), replace=False)
        comment = str(rng.choice(COMMENTS[is_liked])) if rng.random() < COMMENTED else ""
        told.append(
            Told(
                call_id=UUID(record.id),
                person_id=record.person_id,
                is_liked=is_liked,
                tags=tuple(str(tag) for tag in tags),
                comment=comment,
                at=record.admitted_at + timedelta(seconds=int(rng.integers(20, 4_000))),
            )
        )
    return told


def give_ratings(pilot: Pilot, ratings: Sequence[Told], *, until: datetime) -> int:
    """Rate the stored calls as their developers would; return how many were."""
    people = Person.objects.in_bulk({told.person_id for told in ratings})
    calls = Call.objects.in_bulk([told.call_id for told in ratings])
    given = 0
    for told in ratings:
        if told.at < until and told.call_id in calls:
            rate(
                call=calls[told.call_id],
                person=people[told.person_id],
                score=int(told.is_liked),
                scale=pilot.rating_scale,
                tags=list(told.tags),
                comment=told.comment,
                via="page",
                now=told.at,
            )
            given += 1
    return given
