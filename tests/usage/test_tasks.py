from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.gateway.contract import STREAM
from apps.usage.models import Call
from apps.usage.partitions import month_of, months_after, partition_name
from apps.usage.tasks import drain, make_partitions
from tests.factories import make_record

pytestmark = pytest.mark.django_db


def test_drain_stores_calls_of_this_moment(valkey):
    at = datetime.now(UTC) - timedelta(seconds=2)
    record = make_record(pilot_id=1, person_id=1, candidate_id=1, at=at)
    valkey.xadd(STREAM, {"r": record.to_json()})

    drain()

    assert [str(call.id) for call in Call.objects.all()] == [record.id]


def test_this_months_and_next_months_partitions_are_made_ahead():
    month = month_of(timezone.now())

    make_partitions()

    names = [partition_name(month), partition_name(months_after(month, 1))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(to_regclass(name)) FROM unnest(%s::text[]) AS name", [names])
        assert cursor.fetchone() == (2,)
