"""Somebody who has answers to rate, in a running product."""

import json
from typing import Any

from tests.product import Product

# Calls are stored as if the gateway had told them; nothing else knows how to make one's own past.
_MAKE = """
from datetime import timedelta
from django.utils import timezone
from apps.feedback.links import make_token
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests import factories as make
from tests.feedback.answers import pick_by_chance
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import World

now = timezone.now().replace(microsecond=0)
origins = json.loads(argv[0])
pilot = make.make_pilot(
    slug="spring",
    name="Spring trial",
    starts_on=(now - timedelta(days=10)).date(),
    ends_on=(now + timedelta(days=10)).date(),
    widget_origins=origins,
)
candidate = make.make_candidate(name="Hidden Model", position=1)
trial = make.make_trial(pilot, candidate, alias="chat")
make_rotation(pilot, candidate)
user = make.make_user(email="dana@example.com", name="Dana")
enrollment = make.make_enrollment(pilot, user.person)
world = World(pilot, candidate, user, user.person, enrollment, None, "")
calls = [
    world.call(at=now - timedelta(minutes=minutes), alias=alias)
    for minutes, alias in ((1, "pilot-chat"), (2, "chat"), (3, "pilot-chat"))
]
pick_by_chance(world, calls[2])
result = {
    "email": user.email,
    "password": make.PASSWORD,
    "calls": [str(call.id) for call in calls],
    "tokens": [make_token(call, now=now) for call in calls],
}
"""
_READ = """
from apps.feedback.models import Rating
rows = Rating.objects.order_by("-call_admitted_at")
result = [
    [each.score, each.tags, each.comment, each.via, each.withdrawn_at is not None] for each in rows
]
"""


def make_rater(product: Product, *, origins: list[str]) -> dict[str, Any]:
    """Make a pilot with one developer and three answers; the oldest was picked by chance."""
    made: dict[str, Any] = product.django(_MAKE, json.dumps(origins))
    return made


def stored_ratings(product: Product) -> list[list[Any]]:
    """Return score, tags, comment, where it came from and whether withdrawn; the latest first."""
    found: list[list[Any]] = product.django(_READ)
    return found
