"""A blind alias for tests, and what must not be told of it."""

from datetime import timedelta

from apps.pilots.models import Rotation, RotationEra, UseRole

ALIAS = "pilot-chat"


def make_rotation(pilot, *candidates, alias=ALIAS, role=UseRole.CHAT):
    rotation = Rotation.objects.create(
        pilot=pilot, role=role, alias=alias, seed="a seed", created_at=pilot.created_at
    )
    RotationEra.objects.create(
        rotation=rotation,
        first_day=pilot.starts_on - timedelta(days=1),
        candidate_ids=[candidate.id for candidate in candidates],
    )
    return rotation
