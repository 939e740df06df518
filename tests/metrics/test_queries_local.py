"""Calls on developers' own machines, told apart."""

from datetime import timedelta

import pytest

from apps.core.periods import Period
from apps.metrics.queries_local import LocalModel, local_models
from apps.usage.ingest import store_records
from tests.dashboard.pieces import ALL, FIVE
from tests.factories import NOON, make_candidate, make_pilot, make_record

pytestmark = pytest.mark.django_db
DAY = Period(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def call(pilot, candidate, person, **fields):
    return make_record(
        pilot_id=pilot.id,
        candidate_id=candidate.id,
        person_id=person,
        **{"prompt_tokens": 90, "completion_tokens": 10, "source": "ide"} | fields,
    )


def test_local_calls_are_summed_by_candidate_and_nothing_else_is():
    pilot, candidate = make_pilot(), make_candidate()
    store_records(
        [
            *(call(pilot, candidate, person) for person in range(1, 6)),
            call(pilot, candidate, 1, source="gateway"),
            call(pilot, candidate, 1, at=NOON - timedelta(days=3)),
        ]
    )

    for reader in (ALL, FIVE):
        assert local_models(pilot, DAY, reader=reader) == [LocalModel(candidate, "5", 5, 500)]


def test_few_people_are_told_only_as_such():
    pilot, candidate = make_pilot(), make_candidate()
    store_records([call(pilot, candidate, person) for person in range(1, 5)])

    assert local_models(pilot, DAY, reader=FIVE) == [LocalModel(candidate, "<5", None, None)]
    assert local_models(pilot, DAY, reader=ALL) == [LocalModel(candidate, "4", 4, 400)]
