"""Everything a person may have said and done, one of each, as tests make it."""

from datetime import timedelta

from django.conf import settings

from apps.core.secrets import seal
from apps.core.uuid7 import new_uuid7
from apps.feedback.models import (
    AskPreference,
    Channel,
    ComparedAnswer,
    Comparison,
    DailyQuestion,
    IdeEvent,
    PulseAnswer,
    SampledAnswer,
)
from apps.pilots.models import Swap
from tests.factories import NOON

DAY = timedelta(days=1)
TODAY = NOON.date()
ADDRESS = "https://chat.example.com/hooks/secret-path-1234"


def sealed(text):
    return seal(text, settings.ENCRYPTION_KEYS)


def say_of_day(world, *, person=None, **fields):
    return DailyQuestion.objects.create(
        **{
            "pilot_id": world.pilot.id,
            "person": person or world.person,
            "day": TODAY,
            "role": "chat",
            "candidate_id": world.candidate.id,
            "is_blind": True,
            "asked_at": NOON,
            "answered_at": NOON,
            "score": 4,
            "reason": "words of the day",
        }
        | fields
    )


def say_of_week(world, *, person=None, **fields):
    return PulseAnswer.objects.create(
        **{
            "pilot_id": world.pilot.id,
            "person": person or world.person,
            "week": TODAY - timedelta(days=TODAY.weekday()),
            "trust": 4,
            "time_saved": 2,
            "comment": "words of the week",
            "answered_at": NOON,
        }
        | fields
    )


def vote(world, *candidates, person=None, **fields):
    comparison = Comparison.objects.create(
        **{
            "pilot_id": world.pilot.id,
            "person": person or world.person,
            "is_blind": True,
            "prompt": sealed("my own prompt"),
            "created_at": NOON,
            "ready_at": NOON,
            "voted_at": NOON,
            "outcome": "left",
            "expires_at": NOON + 30 * DAY,
        }
        | fields
    )
    for side, candidate in enumerate(candidates):
        ComparedAnswer.objects.create(
            comparison=comparison,
            candidate_id=candidate.id,
            side=side,
            call_id=new_uuid7(),
            text=sealed(f"answer {side}"),
            total_ms=98_765,
        )
    return comparison


def tell_event(world, *, person=None, digest="a digest", **fields):
    return IdeEvent.objects.create(
        **{
            "pilot_id": world.pilot.id,
            "person": person or world.person,
            "key_id": world.key.id,
            "digest": digest,
            "kind": "autocomplete",
            "schema": "0.2.0",
            "at": NOON,
            "day": TODAY,
            "received_at": NOON,
            "alias": "pilot-complete",
            "role": "completion",
            "candidate_id": world.candidate.id,
            "is_blind": True,
            "is_accepted": True,
        }
        | fields
    )


def send_away(world, rotation, chosen, *, person=None):
    return Swap.objects.create(
        rotation=rotation,
        person=person or world.person,
        day=TODAY,
        assigned=world.candidate,
        chosen=chosen,
        at=NOON,
    )


def want_to_be_asked(world):
    return AskPreference.objects.create(
        enrollment=world.enrollment,
        channel=Channel.WEBHOOK,
        webhook=sealed(ADDRESS),
        webhook_hint="chat.example.com, ends in 1234",
        changed_at=NOON,
    )


def pick_by_chance(world, call):
    return SampledAnswer.objects.create(
        call_id=call.id,
        pilot_id=world.pilot.id,
        person=world.person,
        admitted_at=call.admitted_at,
        asked_at=NOON,
    )
