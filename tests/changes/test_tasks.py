from datetime import UTC, datetime, timedelta

import pytest

from apps.changes.actions import claim
from apps.changes.models import JobClaim
from apps.changes.tasks import forget_old_claims


@pytest.mark.django_db
def test_claims_of_long_ago_are_forgotten():
    now = datetime.now(UTC)
    claim(job="mail", period="old", now=now - timedelta(days=15))
    claim(job="mail", period="new", now=now)

    forget_old_claims()

    assert [kept.period for kept in JobClaim.objects.all()] == ["new"]
