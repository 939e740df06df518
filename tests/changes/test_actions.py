from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.changes import actions
from apps.changes.actions import (
    CLAIMS_KEPT,
    claim,
    forget_old_claims,
    mark_dirty,
    mark_period_dirty,
    on_routes_changed,
    routes_changed,
)
from apps.changes.models import DirtySlice, JobClaim, RoutesVersion
from apps.core.periods import QUARTER, Period
from tests.factories import NOON


def marked():
    return list(DirtySlice.objects.order_by("id").values_list("quarter", flat=True))


@pytest.fixture
def listeners(monkeypatch):
    """The listeners of this test alone."""
    monkeypatch.setattr(actions, "_route_listeners", [])


@pytest.mark.django_db
def test_instants_mark_their_quarter_hours_once_each():
    mark_dirty(NOON + timedelta(minutes=minute) for minute in (29, 0, 14, 15))

    assert marked() == [NOON, NOON + QUARTER]


@pytest.mark.django_db
def test_markers_are_added_to_those_there_are():
    mark_dirty([NOON])
    mark_dirty([NOON])

    assert marked() == [NOON, NOON]


@pytest.mark.django_db
def test_a_period_marks_every_quarter_hour_it_touches():
    mark_period_dirty(Period(NOON + QUARTER / 2, NOON + 2 * QUARTER))

    assert marked() == [NOON, NOON + QUARTER]


@pytest.mark.django_db
def test_a_job_is_claimed_once_for_a_period():
    asked = [("drain", "1"), ("drain", "1"), ("drain", "2"), ("mail", "1")]

    granted = [claim(job=job, period=period, now=NOON) for job, period in asked]

    assert granted == [True, False, True, True]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_at_once_one_is_granted():
    def ask(_):
        try:
            return claim(job="mail", period="week", now=NOON)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        granted = list(pool.map(ask, range(8)))

    assert sorted(granted) == [False] * 7 + [True]


@pytest.mark.django_db
def test_old_claims_are_forgotten():
    claim(job="mail", period="old", now=NOON - CLAIMS_KEPT - timedelta(seconds=1))
    claim(job="mail", period="kept", now=NOON - CLAIMS_KEPT)

    assert forget_old_claims(now=NOON) == 1
    assert [kept.period for kept in JobClaim.objects.all()] == ["kept"]


@pytest.mark.django_db
def test_a_claim_is_unique_in_the_database():
    claim(job="mail", period="week", now=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        JobClaim.objects.create(job="mail", period="week", claimed_at=NOON)


@pytest.mark.django_db(transaction=True)
def test_listeners_hear_of_changed_routes_after_the_commit(listeners):
    heard = []
    on_routes_changed(lambda: heard.append(RoutesVersion.objects.get().version))

    with transaction.atomic():
        versions = [routes_changed(), routes_changed()]
        before_commit = list(heard)

    assert (versions, before_commit, heard) == ([1, 2], [], [2, 2])


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_undone_is_not_heard_of(listeners):
    heard = []
    on_routes_changed(lambda: heard.append(1))

    with transaction.atomic():
        routes_changed()
        transaction.set_rollback(True)

    assert (heard, RoutesVersion.objects.count()) == ([], 0)


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_undoes_nothing_and_stops_no_other(listeners, caplog):
    def broker_is_away():
        raise ConnectionError("broker")

    heard = []
    on_routes_changed(broker_is_away)
    on_routes_changed(lambda: heard.append(1))

    assert (routes_changed(), heard) == (1, [1])
    assert RoutesVersion.objects.get().version == 1
    assert "broker" in caplog.text


@pytest.mark.django_db
def test_there_is_one_version_of_the_routes():
    routes_changed()

    with pytest.raises(IntegrityError), transaction.atomic():
        RoutesVersion.objects.create(id=2)


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_queue_and_none_is_lost(listeners):
    def change(_):
        try:
            return routes_changed()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(change, range(8)))

    assert sorted(versions) == list(range(1, 9))
