import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.pilots.models import RatingScale
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import (
    NOON,
    make_enrollment,
    make_key,
    make_pilot,
    make_record,
    make_trial,
    make_user,
)
from tests.fakes.chat import ChatServer
from tests.feedback.asking import URL

AT = NOON + timedelta(minutes=5)


@dataclass
class World:
    """A pilot with one candidate, a developer in it, and their key."""

    pilot: Any
    candidate: Any
    user: Any
    person: Any
    enrollment: Any
    key: Any
    plain_key: str

    def call(self, *, at=NOON, person=None, pilot=None, candidate=None, **fields):
        record = make_record(
            pilot_id=(pilot or self.pilot).id,
            person_id=(person or self.person).id,
            candidate_id=(candidate or self.candidate).id,
            at=at,
            **fields,
        )
        store_records([record])
        return Call.objects.get(id=record.id)

    def colleague(self):
        other = make_user()
        make_enrollment(self.pilot, other.person)
        return other


def make_world(**pilot_fields):
    pilot = make_pilot(**pilot_fields)
    trial = make_trial(pilot, alias="chat")
    user = make_user()
    enrollment = make_enrollment(pilot, user.person)
    key, plain = make_key(enrollment)
    return World(pilot, trial.candidate, user, user.person, enrollment, key, plain)


@pytest.fixture
def world(db):
    return make_world()


@pytest.fixture
def stars(db):
    return make_world(rating_scale=RatingScale.STARS)


@pytest.fixture
def clock(monkeypatch, valkey):
    """Stops the clock of views at AT."""
    monkeypatch.setattr(timezone, "now", lambda: AT)


@pytest.fixture
def chat(settings):
    """A chat on loopback that the operator named."""
    with ChatServer() as running:
        settings.WEBHOOK_HOSTS = (running.place,)
        yield running


@pytest.fixture
def send(client, world):
    def send(body, *, key=None, **headers):
        raw = body if isinstance(body, bytes | str) else json.dumps(body)
        headers = headers or {"Authorization": f"Bearer {key or world.plain_key}"}
        return client.post(URL, raw, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def signed_in(client, world):
    client.force_login(world.user)
    return client
