from decimal import Decimal

import pytest

from apps.metrics.tie_breaks import broken_tie, costs, first_content
from tests.factories import make_candidate, make_pilot
from tests.metrics.derived import make_hosted, make_latency, make_usage
from tests.metrics.made_trials import FIRST

pytestmark = pytest.mark.django_db


@pytest.fixture
def pilot():
    return make_pilot(starts_on=FIRST)


def test_the_cheapest_by_calls_of_the_role_is_taken(pilot):
    dear, cheap = make_candidate(), make_candidate()
    make_usage(pilot, dear, FIRST, calls=10, token_usd=3)
    make_usage(pilot, dear, FIRST, calls=1_000, token_usd=1, task="autocomplete")
    make_usage(pilot, cheap, FIRST, calls=10, token_usd=2)

    assert broken_tie(pilot, "chat", "cheapest", [dear.id, cheap.id]) == cheap.id
    assert costs(pilot, "chat") == {dear.id: Decimal("0.3"), cheap.id: Decimal("0.2")}


def test_idle_machines_belong_to_roles_as_busy_ones_do(pilot):
    hosted = make_candidate()
    make_usage(pilot, hosted, FIRST, calls=10, hosting_usd=1)
    make_usage(pilot, hosted, FIRST, calls=10, hosting_usd=3, task="autocomplete")
    make_hosted(pilot, hosted, FIRST, busy=4, idle=8)

    assert costs(pilot, "chat") == {hosted.id: Decimal("0.3")}


def test_calls_without_a_cost_are_not_free(pilot):
    unknown, known = make_candidate(), make_candidate()
    make_usage(pilot, unknown, FIRST, calls=10, uncosted=10)
    make_usage(pilot, known, FIRST, calls=10, token_usd=2)

    assert broken_tie(pilot, "chat", "cheapest", [unknown.id, known.id]) == known.id


def test_the_fastest_begins_first(pilot):
    slow, fast = make_candidate(), make_candidate()
    make_latency(pilot, slow, FIRST, first=[900, 900], task="edit")
    make_latency(pilot, fast, FIRST, first=[200], task="edit")
    make_latency(pilot, fast, FIRST, first=[300, 5_000, 6_000], task="apply")

    assert broken_tie(pilot, "edit", "fastest", [slow.id, fast.id]) == fast.id
    assert set(first_content(pilot, "edit")) == {slow.id, fast.id}


def test_the_better_is_taken_where_nothing_is_known_or_all_is_equal(pilot):
    one, other = make_candidate(), make_candidate()

    assert broken_tie(pilot, "chat", "cheapest", [other.id, one.id]) == other.id
    for each in (one, other):
        make_usage(pilot, each, FIRST, calls=10, token_usd=2)
    assert broken_tie(pilot, "chat", "cheapest", [other.id, one.id]) == other.id


def test_what_the_team_has_already_stays(pilot):
    assert broken_tie(pilot, "chat", "baseline", [1, 2]) is None
