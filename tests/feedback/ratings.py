"""Ratings as tests give them, and what is stored of them."""

from datetime import timedelta

from apps.changes.models import DirtySlice
from apps.feedback.actions import rate
from apps.feedback.models import Rating, RatingRevision
from tests.factories import NOON

MINUTE = timedelta(minutes=1)


def rated(world, call, **fields):
    said = {"score": 1, "scale": "thumbs", "via": "page", "now": NOON + MINUTE}
    return rate(call=call, person=world.person, **said | fields)


def standing():
    return list(
        Rating.objects.order_by("id").values_list("score", "tags", "comment", "withdrawn_at")
    )


def history():
    return list(
        RatingRevision.objects.order_by("id").values_list("score", "tags", "comment", "until")
    )


def dirty():
    """Return the marked quarters and forget them."""
    found = list(DirtySlice.objects.order_by("id").values_list("quarter", flat=True))
    DirtySlice.objects.all().delete()
    return found
