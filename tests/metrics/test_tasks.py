from datetime import UTC, datetime, timedelta

import pytest

from apps.core.periods import floor_quarter
from apps.metrics.models import QuarterHosting, QuarterUsage
from apps.metrics.tasks import mark_hosting_quarters, rebuild_dirty
from apps.usage.ingest import store_records
from tests.factories import make_candidate, make_hosting, make_record

pytestmark = pytest.mark.django_db


def test_tasks_rebuild_what_happens_now():
    now = datetime.now(UTC)
    candidate = make_candidate()
    make_hosting(candidate, started_at=floor_quarter(now))
    at = now - timedelta(seconds=1)
    store_records([make_record(pilot_id=1, person_id=1, candidate_id=9, at=at)])

    mark_hosting_quarters()
    rebuild_dirty()

    assert QuarterUsage.objects.get().quarter == floor_quarter(at)
    assert QuarterHosting.objects.filter(candidate_id=candidate.id).exists()
