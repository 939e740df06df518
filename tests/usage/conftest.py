from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import (
    NOON,
    make_enrollment,
    make_pilot,
    make_price,
    make_record,
    make_trial,
    make_user,
)

AT = NOON + timedelta(hours=3)


@dataclass
class Scene:
    """A pilot with one priced candidate, a lead, and a developer who takes part."""

    pilot: Any
    candidate: Any
    price: Any
    lead: Any
    developer: Any

    @property
    def path(self):
        return f"/pilots/{self.pilot.slug}/"

    def call(self, *, person=None, at=NOON, candidate=None, **fields):
        record = make_record(
            pilot_id=self.pilot.id,
            person_id=(person or self.developer.person).id,
            candidate_id=(candidate or self.candidate).id,
            at=at,
            **fields,
        )
        store_records([record])
        return Call.objects.get(id=record.id)

    def calls(self, number):
        """Store calls a minute apart; return them newest first."""
        return [self.call(at=NOON - timedelta(minutes=each)) for each in range(number)]

    def colleague(self, **fields):
        user = make_user(**fields)
        make_enrollment(self.pilot, user.person)
        return user


def make_scene(**pilot_fields):
    pilot = make_pilot(**pilot_fields)
    candidate = make_trial(pilot).candidate
    developer = make_user(name="Ada Moreno")
    make_enrollment(pilot, developer.person)
    lead = make_user(role=Role.LEAD)
    return Scene(pilot, candidate, make_price(candidate), lead, developer)


@pytest.fixture
def clock(monkeypatch, valkey):
    """Stops the clock of views at AT."""
    monkeypatch.setattr(timezone, "now", lambda: AT)


@pytest.fixture
def named(db):
    """A pilot that names people."""
    return make_scene(people_named=True)


@pytest.fixture
def unnamed(db):
    return make_scene()
