"""Functions that make rows for tests: everything has a default, names are kept distinct."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count

from apps.accounts.models import Person, Role, User
from apps.catalog.models import Candidate, HostingInterval, Price, Provider
from apps.core.keys import digest, hint, new_key
from apps.core.uuid7 import compose
from apps.gateway.contract import CallRecord
from apps.pilots.models import Enrollment, Key, Limit, Pilot, Rotation, RotationEra, Trial

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
_numbers = count(1)


def make_person(**fields):
    return Person.objects.create(
        **{"pseudonym": f"person-{next(_numbers)}", "created_at": NOON - timedelta(days=30)}
        | fields
    )


def make_user(role=Role.DEVELOPER, **fields):
    user = User(
        **{
            "email": f"user{next(_numbers)}@example.com",
            "name": "Someone",
            "role": role,
            "person": fields.pop("person", None) or make_person(),
            "date_joined": NOON - timedelta(days=30),
        }
        | fields
    )
    user.set_password(PASSWORD)
    user.save()
    return user


def make_provider(**fields):
    number = next(_numbers)
    return Provider.objects.create(
        **{
            "slug": f"provider-{number}",
            "name": f"Provider {number}",
            "base_url": "http://127.0.0.1:9/v1",
            "created_at": NOON - timedelta(days=60),
        }
        | fields
    )


def make_candidate(**fields):
    number = next(_numbers)
    return Candidate.objects.create(
        **{
            "slug": f"candidate-{number}",
            "name": f"Candidate {number}",
            "provider": fields.pop("provider", None) or make_provider(),
            "upstream_model": f"org/model-{number}",
            "position": number,
            "created_at": NOON - timedelta(days=60),
        }
        | fields
    )


def make_price(candidate, input_usd=2, output_usd=4, cached_usd=1, **fields):
    return Price.objects.create(
        **{
            "candidate": candidate,
            "input_usd_per_mtok": Decimal(input_usd),
            "cached_usd_per_mtok": Decimal(cached_usd),
            "output_usd_per_mtok": Decimal(output_usd),
            "valid_from": NOON - timedelta(days=50),
        }
        | fields
    )


def make_hosting(candidate, usd_per_hour=4, **fields):
    return HostingInterval.objects.create(
        **{
            "candidate": candidate,
            "usd_per_hour": Decimal(usd_per_hour),
            "count": 1,
            "started_at": NOON - timedelta(days=1),
        }
        | fields
    )


def make_pilot(**fields):
    number = next(_numbers)
    return Pilot.objects.create(
        **{
            "slug": f"pilot-{number}",
            "name": f"Pilot {number}",
            "starts_on": date(2026, 11, 2),
            "ends_on": date(2026, 11, 29),
            "created_at": NOON - timedelta(days=20),
            "started_at": NOON - timedelta(days=20),
        }
        | fields
    )


def make_enrollment(pilot, person=None, **fields):
    return Enrollment.objects.create(
        **{"pilot": pilot, "person": person or make_person(), "enrolled_at": pilot.created_at}
        | fields
    )


def make_trial(pilot, candidate=None, **fields):
    candidate = candidate or make_candidate()
    return Trial.objects.create(
        **{
            "pilot": pilot,
            "candidate": candidate,
            "alias": candidate.slug,
            "added_at": pilot.created_at,
        }
        | fields
    )


def make_key(enrollment, **fields):
    """Return the key and its plain text."""
    plain = new_key()
    key = Key.objects.create(
        **{
            "enrollment": enrollment,
            "digest": digest(plain),
            "hint": hint(plain),
            "created_at": NOON - timedelta(days=10),
            "expires_at": NOON + timedelta(days=170),
        }
        | fields
    )
    return key, plain


def make_limit(pilot, scope, **fields):
    return Limit.objects.create(
        **{
            "pilot": pilot,
            "scope": scope,
            "created_at": pilot.created_at,
            "changed_at": pilot.created_at,
            "money_since": pilot.created_at if "usd" in fields else None,
        }
        | fields
    )


def make_record(*, pilot_id, person_id, candidate_id, at=NOON, **fields):
    """Return the record of a finished chat call; store it with apps.usage.ingest."""
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    # Not a new id from the clock: its time is the call's, in whatever order tests make calls.
    millis = int(at.timestamp()) * 1000 + at.microsecond // 1000
    number = next(_numbers)
    return CallRecord(
        **{
            "id": str(compose(millis, number % 4096, number)),
            "admitted_at": at,
            "pilot_id": pilot_id,
            "person_id": person_id,
            "key_id": 1,
            "candidate_id": candidate_id,
            "provider_id": 1,
            "alias": "chat",
            "endpoint": "chat/completions",
            "task": "chat",
            "outcome": "ok",
            "status": 200,
            "streamed": True,
            "first_byte_ms": 200,
            "first_content_ms": 250,
            "total_ms": 2250,
            "prompt_tokens": 1000,
            "cached_tokens": 0,
            "completion_tokens": 100,
            "usage_source": "provider",
            "finish_reason": "stop",
            "rateable": True,
        }
        | fields
    )


def make_rotation(pilot, *candidates, role="chat", first_day=date(2026, 11, 2), **fields):
    """Let candidates take turns behind a blind alias."""
    rotation = Rotation.objects.create(
        **{
            "pilot": pilot,
            "role": role,
            "alias": f"pilot-{role}",
            "seed": f"seed of {role}",
            "created_at": pilot.created_at,
        }
        | fields
    )
    ids = [candidate.id for candidate in candidates]
    RotationEra.objects.create(rotation=rotation, first_day=first_day, candidate_ids=ids)
    return rotation
