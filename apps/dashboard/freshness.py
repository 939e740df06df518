"""When a polled page has something new to say. Cheap: two small reads."""

from datetime import datetime

from apps.accounts.models import User
from apps.changes.models import RoutesVersion
from apps.core.periods import floor_quarter
from apps.metrics.queries import generation_of
from apps.metrics.readers import reader_of
from apps.pilots.models import Pilot


def etag_of(pilot: Pilot, user: User, *, now: datetime) -> str:
    """Return a tag that changes with the pilot's figures, with what is on trial, with the reader's
    role, and every quarter of an hour, when the comparison moves on.
    """
    number, _ = generation_of(pilot.id)
    version = RoutesVersion.objects.values_list("version", flat=True).first() or 0
    least = reader_of(pilot, user).least
    parts = (pilot.id, number, version, user.role, least, int(floor_quarter(now).timestamp()))
    return f'"{"-".join(str(part) for part in parts)}"'
