from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from apps.feedback.actions import rate
from apps.metrics.rebuild import rebuild_dirty
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_person,
    make_pilot,
    make_price,
    make_record,
    make_trial,
)

WEEK = date(2026, 11, 16)
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
# When the summary of that week goes out for a pilot in UTC.
DUE = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Trialled:
    """A pilot with two candidates and six people, who call and rate."""

    pilot: Any
    fast: Any
    slow: Any
    people: Any

    def call(self, candidate, *, at, person=0, rating=None, **fields):
        record = make_record(
            pilot_id=self.pilot.id,
            person_id=self.people[person].id,
            candidate_id=candidate.id,
            at=at,
            **fields,
        )
        store_records([record])
        if rating is not None:
            rate(
                call=Call.objects.get(id=record.id),
                person=self.people[person],
                score=rating,
                scale="thumbs",
                via="page",
                now=at + timedelta(minutes=1),
            )

    def rebuilt(self):
        rebuild_dirty(now=DUE)
        return self


def make_trialled(**fields):
    """Its leads see every figure unless the pilot is told to name nobody."""
    named = {"slug": "platform", "name": "Platform & tools", "people_named": True}
    pilot = make_pilot(**named | fields)
    fast = make_candidate(name="Fast 30B", position=1)
    slow = make_candidate(name="Slow 120B", position=2)
    for candidate in (fast, slow):
        make_trial(pilot, candidate)
        make_price(candidate)
    people = [make_person() for _ in range(6)]
    for person in people:
        make_enrollment(pilot, person)
    return Trialled(pilot, fast, slow, people)


@pytest.fixture
def busy(db):
    """Two weeks of calls: quiet before, busier then; each costs (1000 x 2 + 100 x 4) / 1e6."""
    world = make_trialled()
    for person in range(5):
        world.call(world.fast, at=MONDAY - 7 * DAY, person=person, rating=int(person < 2))
    for person in range(6):
        for day in range(3):
            at = MONDAY + day * DAY
            world.call(world.fast, at=at, person=person, rating=int(person < 5))
    world.call(world.slow, at=MONDAY, first_content_ms=1_900, total_ms=9_000)
    world.call(world.slow, at=MONDAY, person=1, rating=0)
    return world.rebuilt()
