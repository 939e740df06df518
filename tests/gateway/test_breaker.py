"""When a provider is left alone, for how long, and when it is not any more."""

from dataclasses import replace

import pytest

from apps.gateway.breaker import CLOSED, HALF_OPEN, OPEN, Breakers
from apps.gateway.routes import Routes
from tests.gateway.rig import table

PROVIDER = 5


@pytest.fixture
def routes(tmp_path):
    routes = Routes(tmp_path / "routes.json")
    routes.table = table("http://127.0.0.1:1/v1")
    return routes


@pytest.fixture
def breakers(routes):
    return Breakers(routes)


def fail(breakers, *instants: float, provider: int = PROVIDER) -> None:
    for now in instants:
        assert breakers.begin(provider, now)
        breakers.failed(provider, now, now)
        breakers.let_go(provider, now)


def state(breakers, now: float) -> tuple[int, float]:
    return breakers.states(now)["fake"]


def test_five_failures_in_a_row_open_it_for_a_second(breakers):
    fail(breakers, 10, 11, 12, 13)
    assert (state(breakers, 13), breakers.wait(PROVIDER, 13)) == ((CLOSED, 0), 0)

    fail(breakers, 14)

    assert [breakers.wait(PROVIDER, now) for now in (14, 14.25, 15, 99)] == [1.0, 0.75, 0.0, 0.0]
    assert not breakers.begin(PROVIDER, 14.75)
    assert state(breakers, 14.75) == (OPEN, 0.75)
    assert state(breakers, 16) == (HALF_OPEN, 2)


def test_a_good_answer_in_between_begins_the_count_anew(breakers):
    fail(breakers, 10, 11, 12, 13)

    breakers.went_well(PROVIDER, 14)
    fail(breakers, 15, 16, 17, 18)

    assert state(breakers, 18) == (CLOSED, 0)


def test_one_call_alone_probes_and_the_others_wait_for_it(breakers):
    fail(breakers, 1, 2, 3, 4, 5)

    assert breakers.begin(PROVIDER, 6.5)

    assert (breakers.begin(PROVIDER, 6.6), breakers.wait(PROVIDER, 6.6)) == (False, 1.0)
    assert state(breakers, 6.6) == (HALF_OPEN, pytest.approx(1.6))
    breakers.answers(PROVIDER, 6.5)
    assert (breakers.begin(PROVIDER, 6.7), state(breakers, 6.7)) == (True, (CLOSED, 0))


def test_rests_double_up_to_a_minute_and_a_whole_answer_ends_that(breakers):
    fail(breakers, 1, 2, 3, 4, 5)
    now, rests = 5.0, []
    for _ in range(8):
        rests.append(breakers.wait(PROVIDER, now))
        now += rests[-1]
        fail(breakers, now)

    assert rests == [1, 2, 4, 8, 16, 32, 60, 60]
    assert state(breakers, now) == (OPEN, now - 5)
    now += 60
    assert breakers.begin(PROVIDER, now)
    breakers.went_well(PROVIDER, now)
    fail(breakers, now, now, now, now, now)
    assert breakers.wait(PROVIDER, now) == 1.0


def test_a_probe_that_begins_to_answer_and_breaks_off_is_a_relapse(breakers):
    fail(breakers, 1, 2, 3, 4, 5)
    breakers.begin(PROVIDER, 7)
    breakers.answers(PROVIDER, 7)

    breakers.failed(PROVIDER, 7, 8)

    assert breakers.wait(PROVIDER, 8) == 2.0


def test_a_probe_that_says_nothing_leaves_its_place_to_the_next(breakers):
    fail(breakers, 1, 2, 3, 4, 5)
    breakers.begin(PROVIDER, 7)

    breakers.let_go(PROVIDER, 7)

    assert breakers.begin(PROVIDER, 7.5)
    assert not breakers.begin(PROVIDER, 7.6)


def test_while_a_probe_says_nothing_another_may_follow_every_three_seconds(breakers):
    fail(breakers, 1, 2, 3, 4, 5)
    assert breakers.begin(PROVIDER, 6)

    waits = [breakers.wait(PROVIDER, now) for now in (6, 7.5, 8.25, 8.75, 9)]

    assert waits == [1.0, 1.0, 0.75, 0.25, 0.0]
    assert not breakers.begin(PROVIDER, 8.75)
    assert breakers.begin(PROVIDER, 9.5)
    assert (breakers.begin(PROVIDER, 12.25), breakers.wait(PROVIDER, 12.25)) == (False, 0.25)
    assert breakers.begin(PROVIDER, 12.5)
    assert state(breakers, 12.5) == (HALF_OPEN, 7.5)


@pytest.mark.parametrize("began", [6, 9.5])
def test_whichever_probe_answers_first_ends_the_rest(breakers, began):
    fail(breakers, 1, 2, 3, 4, 5)
    assert breakers.begin(PROVIDER, 6)
    assert breakers.begin(PROVIDER, 9.5)

    breakers.went_well(PROVIDER, began)

    assert (breakers.begin(PROVIDER, 9.6), state(breakers, 9.6)) == (True, (CLOSED, 0))


@pytest.mark.parametrize("began", [6, 9.5])
def test_whichever_probe_fails_first_is_the_relapse_and_the_other_is_no_news(breakers, began):
    fail(breakers, 1, 2, 3, 4, 5)
    assert breakers.begin(PROVIDER, 6)
    assert breakers.begin(PROVIDER, 9.5)

    breakers.failed(PROVIDER, began, 10)
    breakers.failed(PROVIDER, 15.5 - began, 10.5)

    assert breakers.wait(PROVIDER, 10.5) == 1.5


def test_a_probe_that_lets_go_makes_room_only_for_itself(breakers):
    fail(breakers, 1, 2, 3, 4, 5)
    assert breakers.begin(PROVIDER, 6)
    assert breakers.begin(PROVIDER, 9.5)

    breakers.let_go(PROVIDER, 6)

    assert not breakers.begin(PROVIDER, 9.75)
    breakers.let_go(PROVIDER, 9.5)
    assert breakers.begin(PROVIDER, 9.75)


@pytest.mark.parametrize("ends", ["failed", "answers", "went_well", "let_go"])
def test_what_began_before_the_rest_is_no_news(breakers, ends):
    fail(breakers, 1, 2, 3, 4, 5)
    breakers.begin(PROVIDER, 7)

    later = (8,) if ends == "failed" else ()
    getattr(breakers, ends)(PROVIDER, 4.5, *later)

    assert state(breakers, 8) == (HALF_OPEN, 3)
    assert not breakers.begin(PROVIDER, 8)


def test_other_providers_are_not_affected(breakers, routes):
    other = replace(routes.table.providers[5], id=6, slug="other")
    routes.table.providers[6] = other

    fail(breakers, 1, 2, 3, 4, 5)

    assert breakers.states(5) == {"fake": (OPEN, 0), "other": (CLOSED, 0)}
    assert breakers.begin(6, 5)


def test_providers_that_left_the_table_are_forgotten(breakers, routes):
    for number in range(100, 200):
        routes.table.providers[number] = replace(routes.table.providers[5], id=number)
        fail(breakers, 1, provider=number)
        del routes.table.providers[number]
    fail(breakers, 1, provider=100)

    fail(breakers, 1)

    assert list(breakers._troubles) == [5]
