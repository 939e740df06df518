"""Counters get what calls cost before they began, once all of these are certainly stored."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from apps.gateway.contract import GATEWAYS_KEY, LIMITS_PREFIX, STREAM, UNSEEDED_KEY
from apps.metrics.seeding import seed_money
from apps.metrics.tasks import seed_money as seed_money_task
from apps.usage.ingest import drain, store_records
from tests.factories import NOON, make_candidate, make_price, make_record

pytestmark = pytest.mark.django_db
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)
# 1,000 tokens in at 2 USD a million, 100 out at 4: what a call of the factory costs.
COST = 2_400_000


@pytest.fixture
def candidate():
    candidate = make_candidate()
    make_price(candidate)
    return candidate


@pytest.fixture
def redis(valkey):
    """A server whose one gateway is alive and has shipped everything."""
    beat(valkey)
    return valkey


def beat(valkey, name="a", *, at=0.0, backlog=0, oldest=0.0):
    now = valkey.time()
    state = {
        "at": now[0] + now[1] / 1e6 + at,
        "backlog": backlog,
        "oldest_age_s": oldest,
        "routes_version": 1,
    }
    valkey.hset(GATEWAYS_KEY, name, json.dumps(state))


def ms(instant):
    return round(instant.timestamp() * 1000)


def counter(valkey, scope, id_, *, pilot_id=1, period="day", start=NOON - DAY, since=NOON, **more):
    run_id = valkey.info("server")["run_id"]
    name = f"{LIMITS_PREFIX}{run_id}:money:{pilot_id}:{scope}:{id_}:{period}:{ms(NOON)}"
    valkey.hset(name, mapping={"since": ms(since), "start": ms(start), "spent": 7} | more)
    valkey.sadd(UNSEEDED_KEY, name)
    return name


def seed_of(valkey, name):
    seed = valkey.hget(name, "seed")
    return None if seed is None else int(seed)


def store(candidate, *, ended_at, total_ms=2250, **fields):
    fields = {"pilot_id": 1, "person_id": 2, "key_id": 3, "total_ms": total_ms} | fields
    at = ended_at - timedelta(milliseconds=total_ms or 0)
    record = make_record(candidate_id=candidate.id, at=at, **fields)
    store_records([record])
    return record


def test_each_scope_counts_its_own_calls(candidate, redis):
    other = make_candidate()
    make_price(other)
    for fields in ({}, {"key_id": 4}, {"person_id": 5, "key_id": 6}, {"pilot_id": 9}):
        store(candidate, ended_at=NOON - MS, **fields)
    store(other, ended_at=NOON - MS, person_id=5, key_id=6)
    names = {
        ("key", 3): COST,
        ("key", 4): COST,
        ("key", 6): 2 * COST,
        ("key", 77): 0,
        ("person", 2): 2 * COST,
        ("person", 5): 2 * COST,
        ("candidate", candidate.id): 3 * COST,
        ("candidate", other.id): COST,
        ("pilot", 1): 4 * COST,
    }
    counters = {whose: counter(redis, *whose) for whose in names}

    assert seed_money() == len(names)

    assert {whose: seed_of(redis, name) for whose, name in counters.items()} == names
    assert redis.scard(UNSEEDED_KEY) == 0
    assert {redis.hget(name, "spent") for name in counters.values()} == {b"7"}


@pytest.mark.parametrize(
    ("ended_at", "total_ms", "is_counted"),
    [
        (NOON - DAY, 2250, True),
        (NOON - DAY - MS, 2250, False),
        (NOON - DAY, 15 * 60 * 1000, True),  # began before the period
        (NOON - MS, 2250, True),
        (NOON, 2250, False),  # the gateway counts it itself
        (NOON + MS, 2250, False),  # began before, ended after
        (NOON - MS, None, True),  # ended when it began: nobody knows better
        (NOON, None, False),
    ],
)
def test_calls_count_when_they_end(candidate, redis, ended_at, total_ms, is_counted):
    store(candidate, ended_at=ended_at, total_ms=total_ms)
    name = counter(redis, "pilot", 1)

    seed_money()

    assert seed_of(redis, name) == COST * is_counted


def test_as_long_as_an_answer_may_take_calls_count_in_the_period_they_end_in(
    candidate, redis, settings
):
    settings.LONGEST_ANSWER_SECONDS = 86_400
    store(candidate, ended_at=NOON - DAY, total_ms=86_400_000)
    name = counter(redis, "pilot", 1)

    seed_money()

    assert seed_of(redis, name) == COST


@pytest.mark.parametrize(
    ("fields", "is_counted"),
    [
        ({"source": "compare"}, True),
        ({"source": "probe"}, False),
        ({"source": "ide"}, False),
        ({"source": "imported"}, False),
        ({"prompt_tokens": None, "completion_tokens": None, "usage_source": "none"}, False),
    ],
)
def test_only_costed_calls_through_the_endpoint_count(candidate, redis, fields, is_counted):
    store(candidate, ended_at=NOON - MS, **fields)
    name = counter(redis, "pilot", 1)

    seed_money()

    assert seed_of(redis, name) == COST * is_counted


def test_periods_and_beginnings_of_one_subject_are_kept_apart(candidate, redis):
    for ago in (1, 30, 60):
        store(candidate, ended_at=NOON - timedelta(hours=ago))
    day = counter(redis, "key", 3, start=NOON - timedelta(hours=45))
    month = counter(redis, "key", 3, period="month", start=NOON - timedelta(days=17))
    late = counter(redis, "pilot", 1, period="pilot", start=NOON - timedelta(days=17))
    early = counter(
        redis, "person", 2, start=NOON - timedelta(days=17), since=NOON - timedelta(hours=20)
    )

    assert seed_money() == 4

    seeds = [seed_of(redis, name) for name in (day, month, late, early)]
    assert seeds == [2 * COST, 3 * COST, 3 * COST, 2 * COST]


def test_sum_is_exact_and_rounded_up_once(redis):
    candidate = make_candidate()
    make_price(candidate, Decimal("0.000001"), 0)  # a thousand tokens: a nano-dollar
    for tokens in (1000, 1, 1000):
        store(candidate, ended_at=NOON - MS, prompt_tokens=tokens)
    name = counter(redis, "pilot", 1)

    seed_money()

    assert seed_of(redis, name) == 3  # of 2.001


@pytest.mark.parametrize(
    "states",
    [
        [],
        [{"at": -11}],  # silent: gone
        [{"at": 0, "backlog": 1, "oldest": 90.0}],
        [{}, {"at": 0, "backlog": 1, "oldest": 90.0}],
    ],
)
def test_counter_waits_until_every_gateway_has_shipped_what_ended_before(candidate, valkey, states):
    for number, state in enumerate(states):
        beat(valkey, str(number), **state)
    now = NOON.fromtimestamp(valkey.time()[0], NOON.tzinfo)
    name = counter(valkey, "pilot", 1, since=now - timedelta(seconds=30))

    assert seed_money() == 0
    assert (seed_of(valkey, name), valkey.scard(UNSEEDED_KEY)) == (None, 1)

    valkey.delete(GATEWAYS_KEY)
    beat(valkey)
    assert seed_money() == 1


@pytest.mark.parametrize(
    ("state", "seconds_ago", "is_seeded"),
    [
        ({}, 2, True),
        ({}, 0.5, False),  # not long enough ago
        ({"at": -5}, 4, False),  # has not spoken since
        ({"at": -5}, 7, True),
        # Under load something is always on its way: what matters is how old it is.
        ({"backlog": 40, "oldest": 0.4}, 2, True),
        ({"backlog": 40, "oldest": 1.4}, 2, False),
    ],
)
def test_gateway_vouches_for_the_time_up_to_its_oldest_unshipped_call(
    valkey, state, seconds_ago, is_seeded
):
    beat(valkey, **state)
    since = valkey.time()[0] + valkey.time()[1] / 1e6 - seconds_ago
    name = counter(valkey, "pilot", 1, since=NOON.fromtimestamp(since, NOON.tzinfo))

    seed_money()

    assert seed_of(valkey, name) == (0 if is_seeded else None)


def test_counter_waits_until_what_was_shipped_is_stored(candidate, redis):
    name = counter(redis, "pilot", 1)
    record = make_record(
        pilot_id=1, person_id=2, candidate_id=candidate.id, at=NOON - timedelta(seconds=9)
    )
    redis.xadd(STREAM, {"r": record.to_json()})

    assert seed_money() == 0
    # What comes into the stream from now on ended after the counter began.
    drain(now=NOON)
    later = redis.time()[0] * 1000 + 5_000
    redis.xadd(STREAM, {"r": record.to_json()}, id=f"{later}-0")

    assert seed_money() == 1
    assert seed_of(redis, name) == COST


def test_counter_that_began_anew_waits_again(candidate, valkey):
    beat(valkey)
    begun = valkey.time()[0] - 60
    name = counter(valkey, "pilot", 1, since=NOON.fromtimestamp(begun, NOON.tzinfo))
    valkey.xadd(STREAM, {"r": b"waits"}, id="1-0")
    assert seed_money() == 0

    valkey.hset(name, "since", (begun + 70) * 1000)  # ten seconds ahead: nobody vouches for it
    valkey.xtrim(STREAM, maxlen=0)

    assert seed_money() == 0
    valkey.hset(name, "since", begun * 1000)
    assert seed_money() == 1


def test_counter_is_seeded_once(candidate, redis):
    name = counter(redis, "pilot", 1)
    seed_money()
    store(candidate, ended_at=NOON - MS)
    redis.sadd(UNSEEDED_KEY, name)

    seed_money()

    assert seed_of(redis, name) == 0
    assert redis.scard(UNSEEDED_KEY) == 0


def test_names_that_wait_for_nothing_are_struck_off(redis, caplog):
    run_id = redis.info("server")["run_id"]
    other_run = f"{LIMITS_PREFIX}{'0' * 40}:money:1:pilot:1:day:0"
    vanished = f"{LIMITS_PREFIX}{run_id}:money:1:pilot:2:day:0"
    unreadable = counter(redis, "pilot", 3, since=NOON)
    redis.hset(unreadable, "since", "yesterday")
    far = counter(redis, "pilot", 4)
    redis.hset(far, "since", 10**30)
    redis.hset(other_run, mapping={"since": 1, "start": 1})
    malformed = [
        b"\xff",
        f"{LIMITS_PREFIX}{run_id}:money:1:world:1:day:0",
        f"{LIMITS_PREFIX}{run_id}:money:1:pilot:1:day",
        "x" * 300,
    ]
    redis.sadd(UNSEEDED_KEY, other_run, vanished, *malformed)
    good = counter(redis, "pilot", 5)

    assert seed_money() == 1

    assert redis.scard(UNSEEDED_KEY) == 0
    assert seed_of(redis, good) == 0
    assert (redis.exists(vanished), seed_of(redis, other_run)) == (0, None)
    assert len(caplog.records) == len(malformed) + 2


def test_database_or_broker_that_is_away_is_waited_for(redis, settings, caplog):
    name = counter(redis, "pilot", 1)
    address, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:9/0"

    assert seed_money() == 0

    settings.REDIS_URL = address
    seed_money_task()
    assert seed_of(redis, name) == 0
    assert len(caplog.records) == 1


def test_any_number_of_counters_takes_a_query_for_each_pilot_scope_and_start(
    redis, django_assert_num_queries
):
    for id_ in range(40):
        counter(redis, "key", id_, since=NOON - timedelta(seconds=id_))
        counter(redis, "person", id_)

    with django_assert_num_queries(2):
        assert seed_money() == 80


def test_plan_leaves_other_months_alone(candidate, redis):
    for months in (0, 40, 80):
        store(candidate, ended_at=NOON - timedelta(days=months))
    name = counter(redis, "key", 3)

    with connection.execute_wrapper(explain := Explain()):
        seed_money()

    assert seed_of(redis, name) == 0
    assert set(re.findall(r"on (usage_call_\w+)", explain.plan)) == {"usage_call_2026_11"}


class Explain:
    plan = ""

    def __call__(self, execute, sql, params, many, context):
        if "usage_call" in sql and not self.plan:
            with connection.connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql, params)
                self.plan = "\n".join(line for (line,) in cursor.fetchall())
        return execute(sql, params, many, context)
