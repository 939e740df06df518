"""The random sample: answers that chance picked before anybody knew how good they are.

Ratings that people volunteer are those of the very pleased and the very annoyed. Of the sample it
is known who was asked, so it is told apart.
"""

import hmac
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.crypto import salted_hmac

from apps.accounts.models import Person
from apps.core.periods import Period
from apps.core.rotation import working_day
from apps.feedback.daily_use import SOURCES
from apps.feedback.days import day_period
from apps.feedback.models import AskPreference, Channel, Rating, SampledAnswer
from apps.pilots.models import Enrollment, Pilot
from apps.usage.models import Call

ASKED_WITHIN: Final = timedelta(minutes=15)
MOST_A_DAY: Final = 3
# As long as people are shown their answers to rate.
WAITS_FOR: Final = timedelta(days=7)
_LOTS: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class SampledRating:
    """One answer of the sample. `score` is None where the person did not rate it.

    `candidate_id` is whom the day had assigned.
    """

    person_id: int
    candidate_id: int
    call_id: UUID
    admitted_at: datetime
    scale: str
    score: int | None


def salt_of(pilot_id: int) -> bytes:
    """Return the secret that decides a pilot's sample, which nobody can compute ahead."""
    return salted_hmac("apps.feedback.samples", str(pilot_id), algorithm="sha256").digest()


def is_sampled(call_id: UUID, *, salt: bytes, share: Decimal) -> bool:
    """Tell whether a call is in the sample: a pure function of its id and the salt."""
    lot = int.from_bytes(hmac.digest(salt, call_id.bytes, "sha256")[:8], "big")
    return lot < share * _LOTS


def pick(*, pilot: Pilot, now: datetime) -> list[SampledAnswer]:
    """Ask about the sampled answers of the last minutes, a few a person and day; return the new.

    Nobody is asked who has left or wants not to be. Picking again picks nothing twice.
    """
    day = working_day(now, pilot.zone_info)
    asked = Counter(
        SampledAnswer.objects.filter(
            pilot_id=pilot.id, admitted_at__gte=day_period(day, pilot.zone_info).start
        ).values_list("person_id", flat=True)
    )
    channels = _channels(pilot)
    chosen = []
    for call in _in_sample(pilot, Period(now - ASKED_WITHIN, now)):
        channel = channels.get(call.person_id, Channel.OFF)
        if channel != Channel.OFF and asked[call.person_id] < MOST_A_DAY:
            asked[call.person_id] += 1
            chosen.append(
                SampledAnswer(
                    call_id=call.id,
                    pilot_id=pilot.id,
                    person_id=call.person_id,
                    admitted_at=call.admitted_at,
                    asked_at=now,
                    channel=channel,
                )
            )
    SampledAnswer.objects.bulk_create(chosen, ignore_conflicts=True)
    return chosen


def _in_sample(pilot: Pilot, period: Period) -> list[Call]:
    known = SampledAnswer.objects.filter(call_id=OuterRef("id"))
    calls = (
        Call.objects.filter(
            ~Exists(known),
            pilot_id=pilot.id,
            rateable=True,
            source__in=SOURCES,
            admitted_at__gte=period.start,
            admitted_at__lt=period.end,
        )
        .only("id", "person_id", "admitted_at")
        .order_by("admitted_at", "id")
    )
    salt = salt_of(pilot.id)
    return [call for call in calls if is_sampled(call.id, salt=salt, share=pilot.sample_share)]


def _channels(pilot: Pilot) -> dict[int, str]:
    """Return how everybody who takes part is asked, by person."""
    people = Enrollment.objects.filter(pilot=pilot, left_at__isnull=True)
    channels: dict[int, str] = dict.fromkeys(
        people.values_list("person_id", flat=True), Channel.PAGE
    )
    chosen = AskPreference.objects.filter(enrollment__in=people)
    channels.update(dict(chosen.values_list("enrollment__person_id", "channel")))
    return channels


def waiting_samples(*, pilot: Pilot, person: Person, now: datetime) -> QuerySet[SampledAnswer]:
    """Return sampled answers that a person has neither rated nor withdrawn, the newest first."""
    handled = Rating.objects.filter(call_id=OuterRef("call_id"), person=person)
    return SampledAnswer.objects.filter(
        ~Exists(handled), pilot_id=pilot.id, person=person, asked_at__gte=now - WAITS_FOR
    ).order_by("-admitted_at", "-id")


def sampled_ratings(pilot: Pilot) -> list[SampledRating]:
    """Return every answer that was asked about, and its rating, in order of time. Three queries.

    What is no longer stored, and was never rated, is left out: nobody knows who answered.
    """
    samples = list(SampledAnswer.objects.filter(pilot_id=pilot.id).order_by("admitted_at", "id"))
    ids = [sample.call_id for sample in samples]
    ratings = {
        rating.call_id: rating
        for rating in Rating.objects.filter(
            pilot_id=pilot.id, call_id__in=ids, withdrawn_at__isnull=True
        ).order_by("id")
    }
    answered_by = {
        call_id: assigned or candidate_id
        for call_id, assigned, candidate_id in Call.objects.filter(id__in=ids)
        .order_by()
        .values_list("id", "assigned_candidate_id", "candidate_id")
    }
    found = []
    for sample in samples:
        rating = ratings.get(sample.call_id)
        candidate_id = answered_by.get(sample.call_id, rating.candidate_id if rating else None)
        if candidate_id is not None:
            found.append(
                SampledRating(
                    sample.person_id,
                    candidate_id,
                    sample.call_id,
                    sample.admitted_at,
                    rating.scale if rating else pilot.rating_scale,
                    rating.score if rating else None,
                )
            )
    return found
