"""Making and changing pilots, and who takes part.

Each change is one transaction, audited, and republishes the routes.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from apps.accounts.models import Person
from apps.catalog.actions import check_slug
from apps.core.keys import DEVELOPER_PREFIX, READER_PREFIX, digest, hint, new_key
from apps.pilots.limits import limit_each_key
from apps.pilots.models import Enrollment, Key, KeyKind, Pilot, RatingScale
from apps.pilots.trail import note, open_pilot

KEY_LASTS: Final = timedelta(days=180)
KEYS_AT_MOST: Final = 10


class SlugTaken(Exception):
    """Another pilot has this slug."""


class EndsBeforeItStarts(Exception):
    """The last day would lie before the first."""


class UnknownZone(Exception):
    """There is no such time zone."""


class NamesWereToStayHidden(Exception):
    """People joined on the promise that leads see no names."""


class NotTakingPart(Exception):
    """The person has left the pilot."""


class TooManyKeys(Exception):
    """So many keys in force are never needed, and each is one more to lose."""


@transaction.atomic
def create_pilot(
    *,
    slug: str,
    name: str,
    starts_on: date,
    ends_on: date,
    now: datetime,
    zone: str = "UTC",
    budget_usd: Decimal | None = None,
    rating_scale: str = RatingScale.THUMBS,
    people_named: bool = False,
    is_draft: bool = False,
    actor: Person | None = None,
) -> Pilot:
    """Make a pilot of whole days in its own zone, with a generous limit on each key.

    A draft's keys open nothing until it is started.

    Raises catalog.actions.SlugMalformed, SlugTaken, EndsBeforeItStarts, UnknownZone.
    """
    check_slug(slug)
    _check_days(starts_on, ends_on, zone)
    if Pilot.objects.filter(slug=slug).exists():
        raise SlugTaken(slug)
    pilot = Pilot.objects.create(
        slug=slug,
        name=name,
        starts_on=starts_on,
        ends_on=ends_on,
        zone=zone,
        budget_usd=budget_usd,
        rating_scale=rating_scale,
        people_named=people_named,
        created_at=now,
        started_at=None if is_draft else now,
    )
    limit_each_key(pilot, now=now)
    note(pilot, "pilot created", actor, now, {"days": f"{starts_on} to {ends_on}", "zone": zone})
    return pilot


@transaction.atomic
def change_pilot(
    *,
    pilot: Pilot,
    name: str,
    starts_on: date,
    ends_on: date,
    zone: str,
    budget_usd: Decimal | None,
    rating_scale: str,
    people_named: bool,
    now: datetime,
    actor: Person | None = None,
) -> Pilot:
    """Replace a pilot's settings; the slug stays, since links carry it.

    Raises EndsBeforeItStarts, UnknownZone, PilotClosed, NamesWereToStayHidden.
    """
    _check_days(starts_on, ends_on, zone)
    locked = open_pilot(pilot)
    if people_named and not locked.people_named and locked.enrollments.exists():
        raise NamesWereToStayHidden(locked.slug)
    fields = {
        "name": name,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "zone": zone,
        "budget_usd": budget_usd,
        "rating_scale": rating_scale,
        "people_named": people_named,
    }
    changed = {
        field: [str(getattr(locked, field)), str(value)]
        for field, value in fields.items()
        if getattr(locked, field) != value
    }
    for field, value in fields.items():
        setattr(locked, field, value)
    if "budget_usd" in changed:
        locked.budget_since = now
    locked.save(update_fields=[*fields, "budget_since"])
    if changed:
        note(locked, "pilot changed", actor, now, changed)
    return locked


@transaction.atomic
def enroll(
    *, pilot: Pilot, person: Person, now: datetime, actor: Person | None = None
) -> Enrollment:
    """Let a person take part; whoever left comes back, whoever is in stays. Raises PilotClosed."""
    open_pilot(pilot)
    enrollment, is_new = Enrollment.objects.select_for_update().get_or_create(
        pilot=pilot, person=person, defaults={"enrolled_at": now}
    )
    if not is_new and enrollment.left_at is None:
        return enrollment
    if enrollment.left_at is not None:
        enrollment.left_at = None
        enrollment.save(update_fields=["left_at"])
    note(pilot, "person enrolled", actor, now, {"person": str(person)})
    return enrollment


@transaction.atomic
def leave(*, enrollment: Enrollment, now: datetime, actor: Person | None = None) -> None:
    """Take a person out of a pilot and revoke their keys; what they did stays."""
    left = Enrollment.objects.filter(id=enrollment.id, left_at__isnull=True).update(left_at=now)
    if not left:
        return
    Key.objects.filter(enrollment=enrollment, revoked_at__isnull=True).update(revoked_at=now)
    note(enrollment.pilot, "person left", actor, now, {"person": str(enrollment.person)})


@transaction.atomic
def issue_key(
    *,
    enrollment: Enrollment,
    now: datetime,
    name: str = "",
    kind: str = KeyKind.DEVELOPER,
    actor: Person | None = None,
) -> tuple[Key, str]:
    """Make a key for 180 days; return it with its plain text, which is nowhere stored.

    Raises PilotClosed, NotTakingPart, TooManyKeys.
    """
    open_pilot(enrollment.pilot)
    locked = Enrollment.objects.select_for_update().get(id=enrollment.id)
    if locked.left_at is not None:
        raise NotTakingPart(str(locked))
    in_force = Key.objects.filter(
        enrollment=locked, kind=kind, revoked_at__isnull=True, expires_at__gt=now
    )
    if in_force.count() >= KEYS_AT_MOST:
        raise TooManyKeys(str(locked))
    plain = new_key(READER_PREFIX if kind == KeyKind.READER else DEVELOPER_PREFIX)
    key = Key.objects.create(
        enrollment=locked,
        kind=kind,
        name=name,
        digest=digest(plain),
        hint=hint(plain),
        created_at=now,
        expires_at=now + KEY_LASTS,
    )
    note(enrollment.pilot, "key issued", actor, now, {"key": key.hint, "kind": kind})
    return key, plain


@transaction.atomic
def revoke_key(*, key: Key, now: datetime, actor: Person | None = None) -> None:
    """Make a key useless at once; a second time changes nothing."""
    if not Key.objects.filter(id=key.id, revoked_at__isnull=True).update(revoked_at=now):
        return
    note(key.enrollment.pilot, "key revoked", actor, now, {"key": key.hint})


def _check_days(starts_on: date, ends_on: date, zone: str) -> None:
    if ends_on < starts_on:
        raise EndsBeforeItStarts(f"{starts_on} to {ends_on}")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(zone) from None
