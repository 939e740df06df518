"""How the table of routes reaches the broker, and what happens while it is away."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import redis

from apps.changes.actions import routes_changed
from apps.changes.models import RoutesVersion
from apps.gateway.contract import ROUTES_CHANNEL, ROUTES_KEY, ROUTES_VERSION_KEY, RouteTable
from apps.pilots.actions import issue_key, revoke_key
from apps.pilots.closing import close_pilot
from apps.pilots.routing import publish, publish_if_stale
from tests.factories import NOON, make_enrollment, make_pilot


@pytest.fixture
def away(settings):
    """A broker that cannot be reached."""
    from apps.pilots import routing

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    routing._redis.cache_clear()
    yield
    routing._redis.cache_clear()


def published(valkey):
    return RouteTable.from_json(valkey.get(ROUTES_KEY))


@pytest.mark.django_db(transaction=True)
def test_change_is_published_when_it_is_committed(valkey):
    listener = valkey.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(ROUTES_CHANNEL)
    listener.get_message(timeout=1)
    enrollment = make_enrollment(make_pilot())

    key, _ = issue_key(enrollment=enrollment, now=datetime.now(UTC))

    table = published(valkey)
    assert set(table.keys) == {key.digest}
    assert int(valkey.get(ROUTES_VERSION_KEY)) == table.version
    # Channels are one for all databases, so other test processes are heard here too.
    announced = (listener.get_message(timeout=2) for _ in range(100))
    assert any(message and int(message["data"]) == table.version for message in announced)
    listener.close()


@pytest.mark.django_db(transaction=True)
def test_revoked_key_is_gone_from_the_published_table(valkey):
    enrollment = make_enrollment(make_pilot())
    key, _ = issue_key(enrollment=enrollment, now=datetime.now(UTC))

    revoke_key(key=key, now=datetime.now(UTC))

    assert published(valkey).keys == {}


@pytest.mark.django_db(transaction=True)
def test_closing_a_pilot_is_published(valkey):
    today = datetime.now(UTC).date()
    pilot = make_pilot(starts_on=today - timedelta(days=3), ends_on=today + timedelta(days=3))
    now = datetime.now(UTC)

    close_pilot(pilot=pilot, now=now, reason="budget is spent")

    assert published(valkey).pilots[pilot.id].closes_at == now


@pytest.mark.django_db
def test_older_table_never_replaces_a_newer_one(valkey):
    RoutesVersion.objects.create(id=1, version=5)
    assert publish(NOON) is True
    newer = valkey.get(ROUTES_KEY)
    RoutesVersion.objects.update(version=4)

    assert publish(NOON + timedelta(minutes=1)) is False

    assert (valkey.get(ROUTES_KEY), valkey.get(ROUTES_VERSION_KEY)) == (newer, b"5")


@pytest.mark.django_db
def test_same_version_may_be_published_again(valkey):
    RoutesVersion.objects.create(id=1, version=5)
    publish(NOON)

    assert publish(NOON + timedelta(minutes=1)) is True

    assert published(valkey).built_at == NOON + timedelta(minutes=1)


@pytest.mark.django_db
def test_what_is_published_already_is_left_alone(valkey):
    RoutesVersion.objects.create(id=1, version=5)
    publish(NOON)

    assert publish_if_stale(NOON + timedelta(minutes=1)) is False

    assert published(valkey).built_at == NOON


@pytest.mark.django_db
@pytest.mark.parametrize("key", [ROUTES_KEY, ROUTES_VERSION_KEY])
def test_broker_that_lost_its_data_gets_the_table_again(valkey, key):
    RoutesVersion.objects.create(id=1, version=5)
    publish(NOON)
    valkey.delete(key)

    assert publish_if_stale(NOON) is True

    assert published(valkey).version == int(valkey.get(ROUTES_VERSION_KEY)) == 5


@pytest.mark.django_db
def test_table_of_another_format_is_replaced(valkey):
    RoutesVersion.objects.create(id=1, version=5)
    valkey.set(ROUTES_KEY, json.dumps({"format": 0, "version": 5}))
    valkey.set(ROUTES_VERSION_KEY, 5)

    assert publish_if_stale(NOON) is True

    assert published(valkey).version == 5


@pytest.mark.django_db(transaction=True)
def test_database_that_is_behind_the_broker_is_raised_above_it(valkey):
    RoutesVersion.objects.update_or_create(id=1, defaults={"version": 3})
    valkey.set(ROUTES_KEY, b'{"format":1,"version":40}')
    valkey.set(ROUTES_VERSION_KEY, 40)

    assert publish_if_stale(NOON) is True

    assert RoutesVersion.objects.get().version == published(valkey).version == 41


@pytest.mark.django_db(transaction=True)
def test_change_stands_although_the_broker_is_away(away):
    before = routes_changed()

    after = routes_changed()

    assert (after, RoutesVersion.objects.get().version) == (before + 1, before + 1)
    with pytest.raises(redis.ConnectionError):
        publish(NOON)
