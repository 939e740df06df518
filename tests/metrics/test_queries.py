from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from apps.core.periods import Period
from apps.metrics.models import Generation
from apps.metrics.queries import (
    figures_by_candidate,
    generation_of,
    has_called,
    latency_by_task,
    tasks_used,
    total_usage,
    usage_by_person,
    usage_by_task,
)
from apps.metrics.queries_windows import figures_of_windows
from tests.factories import make_candidate, make_pilot
from tests.metrics.derived import make_hosted, make_latency, make_usage

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 10)


def at(day, hour=0, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def pilot():
    return make_pilot()


@pytest.fixture
def candidate():
    return make_candidate()


def test_days_are_read_whole_and_edges_by_the_quarter(pilot, candidate):
    # The 10th and 11th lie within; of the 9th and the 12th only some quarters.
    for day in (9, 10, 11, 12):
        make_usage(pilot, candidate, date(2026, 11, day), calls=100 * day, person=day)
    make_usage(pilot, candidate, at(9, 21, 45), calls=1)
    make_usage(pilot, candidate, at(9, 22), calls=2)
    make_usage(pilot, candidate, at(10, 9), calls=4)
    make_usage(pilot, candidate, at(12, 5, 45), calls=8)
    make_usage(pilot, candidate, at(12, 6), calls=16)

    figures = figures_by_candidate(pilot.id, Period(at(9, 22), at(12, 6)))

    assert figures[candidate.id].usage.calls == 2 + 1000 + 1100 + 8
    assert figures[candidate.id].usage.people == {1, 10, 11}


def test_every_sum_is_told_apart_by_candidate(pilot, candidate):
    other = make_candidate()
    make_usage(
        pilot,
        candidate,
        DAY,
        calls=10,
        failed=1,
        uncosted=2,
        estimated=3,
        prompt_tokens=1000,
        completion_tokens=500,
        token_usd="0.25",
        hosting_usd="0.5",
        rateable=6,
        rated=4,
        liked=3,
        generation_ms=1000,
        generation_tokens=30,
    )
    make_usage(pilot, candidate, DAY, task="autocomplete", calls=5, token_usd="0.05", person=2)
    make_usage(pilot, other, DAY, calls=7, person=3)
    make_usage(make_pilot(), candidate, DAY, calls=99)
    make_hosted(pilot, candidate, DAY, busy="0.5", idle="1.5")
    make_latency(pilot, candidate, DAY, first=[20, 20, 40], total=[45])

    found = figures_by_candidate(pilot.id, Period(at(10), at(11)))

    assert set(found) == {candidate.id, other.id}
    own = found[candidate.id]
    assert (own.usage.calls, own.usage.failed, own.usage.uncosted, own.usage.estimated) == (
        15,
        1,
        2,
        3,
    )
    assert (own.usage.rateable, own.usage.rated, own.usage.liked) == (6, 4, 3)
    assert own.usage.tokens == 1500
    assert own.usage.token_usd == Decimal("0.30")
    assert own.usage.answer_token_usd == Decimal("0.25")
    assert own.usage.people == {1, 2}
    assert own.cost_usd == Decimal("2.30")
    assert (own.latency.first_ms(0.5), own.latency.first_ms(0.95), own.latency.total_ms(0.5)) == (
        20,
        40,
        45,
    )
    assert found[other.id].usage.calls == 7


def test_people_are_active_once_a_call_of_theirs_has_finished(pilot, candidate):
    make_usage(pilot, candidate, DAY, calls=2, ok=0, failed=2, person=1)
    make_usage(pilot, candidate, DAY, calls=2, ok=1, cancelled=1, rated=1, person=2)

    usage = total_usage(pilot.id, Period(at(10), at(11)))

    assert (usage.people, usage.callers, usage.raters) == ({2}, {1, 2}, {2})


def test_a_task_narrows_calls_and_leaves_idle_machines_out(pilot, candidate):
    make_usage(pilot, candidate, DAY, task="chat", calls=3, token_usd=1)
    make_usage(pilot, candidate, DAY, task="edit", calls=5, token_usd=2)
    make_hosted(pilot, candidate, DAY, idle=50)
    make_latency(pilot, candidate, DAY, task="edit", first=[30])

    own = figures_by_candidate(pilot.id, Period(at(10), at(11)), task="edit")[candidate.id]

    assert (own.usage.calls, own.cost_usd, own.latency.calls) == (5, 2, 1)
    assert tasks_used(pilot.id) == ["chat", "edit"]


def test_a_candidate_is_told_by_task_and_people_by_id(pilot, candidate):
    other = make_candidate()
    make_usage(pilot, candidate, DAY, task="chat", calls=3, person=1)
    make_usage(pilot, candidate, DAY, task="edit", calls=5, person=2)
    make_usage(pilot, other, DAY, task="edit", calls=7, person=2)
    make_latency(pilot, candidate, DAY, task="edit", first=[30])
    period = Period(at(10), at(11))

    by_task = usage_by_task(pilot.id, period, candidate_id=candidate.id)
    by_person = usage_by_person(pilot.id, period)

    assert {task: sums.calls for task, sums in by_task.items()} == {"chat": 3, "edit": 5}
    assert {person: sums.calls for person, sums in by_person.items()} == {1: 3, 2: 12}
    assert {
        key: one.first_ms(0.5)
        for key, one in latency_by_task(pilot.id, period, candidate_id=candidate.id).items()
    } == {"edit": 30}


def test_windows_are_the_same_as_each_on_its_own(pilot, candidate):
    other = make_candidate()
    for day in range(2, 14):
        make_usage(pilot, candidate, date(2026, 11, day), calls=day, token_usd=day, person=day)
        make_usage(pilot, other, date(2026, 11, day), calls=1, task="edit")
        make_hosted(pilot, other, date(2026, 11, day), busy=1, idle=day)
        make_latency(pilot, candidate, date(2026, 11, day), first=[day * 100], total=[day * 200])
    for hour in range(24):
        make_usage(pilot, candidate, at(5, hour), calls=1000, person=90)
        make_hosted(pilot, candidate, at(5, hour), idle=3)
        make_latency(pilot, candidate, at(5, hour), first=[7])
    # Overlapping, apart, with an edge, and within one day.
    windows = [
        Period(at(6), at(13)),
        Period(at(2), at(5, 14)),
        Period(at(8), at(9)),
        Period(at(5, 3), at(5, 4)),
        Period(at(20), at(20)),
    ]

    together = figures_of_windows(pilot.id, windows)

    assert together == [figures_by_candidate(pilot.id, window) for window in windows]
    assert together[1][candidate.id].usage.calls == 2 + 3 + 4 + 14 * 1000
    assert together[3][candidate.id].latency.first_ms(0.5) == 7
    assert figures_of_windows(pilot.id, windows, task="edit") == [
        figures_by_candidate(pilot.id, window, task="edit") for window in windows
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_windows_take_as_many_queries_for_any_number_of_candidates(
    pilot, count, django_assert_num_queries
):
    for person in range(count):
        candidate = make_candidate()
        make_usage(pilot, candidate, at(9, 3), calls=1, person=person)
        for day in range(2, 2 + count):
            make_usage(pilot, candidate, date(2026, 11, day), calls=1, person=person)
            make_latency(pilot, candidate, date(2026, 11, day), first=[100 * person])

    with django_assert_num_queries(6):
        figures_of_windows(pilot.id, [Period(at(2), at(9, 12)), Period(at(3), at(5))])


def test_the_generation_tells_how_often_and_when_rows_were_rebuilt(pilot):
    assert generation_of(pilot.id) == (0, None)

    Generation.objects.create(pilot_id=pilot.id, number=7, rebuilt_at=at(10, 9))

    assert generation_of(pilot.id) == (7, at(10, 9))


def test_someone_has_called_once_a_call_of_theirs_is_counted(pilot, candidate):
    make_usage(pilot, candidate, DAY, calls=1, person=4)

    assert has_called(pilot.id, 4)
    assert not has_called(pilot.id, 5)
    assert not has_called(make_pilot().id, 4)
