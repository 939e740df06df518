from datetime import UTC, datetime

import pytest

from apps.gateway.contract import REFUSALS_KEY
from apps.gateway.errors import REASONS
from apps.pilots import refused
from apps.pilots.refused import WORDS, refused_today
from tests.factories import make_enrollment, make_key, make_pilot, make_user

pytestmark = pytest.mark.django_db
# 23:30 in UTC, the next day in Berlin.
NOW = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)


@pytest.fixture
def key():
    return make_key(make_enrollment(make_pilot(), make_user().person))[0]


def count(valkey, key, reason, times, day="2026-11-18"):
    valkey.hset(REFUSALS_KEY, f"{reason}:{key.id}:{day}", times)


def test_every_reason_has_words():
    assert set(WORDS) == set(REASONS)


def test_one_reason_is_told_as_a_sentence(valkey, key):
    count(valkey, key, "too_many_tokens", 1200)

    assert refused_today([key], now=NOW) == [
        f"{key.hint} was refused 1,200 times since midnight UTC: too many tokens in a minute."
    ]


def test_several_reasons_stand_with_the_most_frequent_first(valkey, key):
    count(valkey, key, "unknown_model", 1)
    count(valkey, key, "money_spent", 3)

    assert refused_today([key], now=NOW) == [
        f"{key.hint} was refused 4 times since midnight UTC: "
        "a budget was used up (3), a model name that the pilot does not have (1)."
    ]


def test_other_days_and_other_keys_are_not_told(valkey, key):
    other = make_key(key.enrollment)[0]
    count(valkey, key, "malformed", 5, day="2026-11-17")
    count(valkey, key, "malformed", 5, day="2026-11-19")
    count(valkey, other, "malformed", 1)

    assert refused_today([key], now=NOW) == []
    assert refused_today([], now=NOW) == []
    assert refused_today([key, other], now=NOW) == [
        f"{other.hint} was refused once since midnight UTC: a request that could not be read."
    ]


def test_without_redis_nothing_is_told(settings, key):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    refused._redis.cache_clear()

    told = refused_today([key], now=NOW)

    refused._redis.cache_clear()
    assert told == []


def test_developers_read_it_beside_their_own_keys(client, valkey, key, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    count(valkey, key, "too_many_at_once", 2)
    pilot = key.enrollment.pilot
    client.force_login(key.enrollment.person.user)

    for page in ("keys", "connect"):
        response = client.get(f"/pilots/{pilot.slug}/{page}/")

        sentence = f"{key.hint} was refused 2 times since midnight UTC: too many calls at once."
        assert response.context["refused"] == [sentence]
        assert sentence in response.content.decode()
