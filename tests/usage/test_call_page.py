from datetime import timedelta
from decimal import Decimal

import pytest

from apps.gateway.call_log import ERRORS
from apps.usage.call_page import PROBLEMS, problem
from tests.factories import NOON, make_candidate
from tests.usage.pages import get

pytestmark = pytest.mark.usefixtures("clock")


def test_a_calls_page_tells_its_way_its_tokens_and_its_cost(client, named):
    attempt = {"candidate_id": named.candidate.id, "started_ms": 1, "ended_ms": 2250, "status": 200}
    call = named.call(cached_tokens=400, overhead_us=900, client="openai-python")
    type(call).objects.filter(id=call.id).update(attempts=[attempt | {"error": ""}])

    context = get(client, named.lead, f"{named.path}calls/{call.id}/").context

    assert [(each.label, each.ms) for each in context["segments"]] == [
        ("until the first byte", 200),
        ("until the first content", 50),
        ("answering", 2000),
    ]
    assert [(each.label, each.after_ms) for each in context["moments"]] == [
        ("Admitted", 0),
        ("First byte", 200),
        ("First content", 250),
        ("End", 2250),
    ]
    assert context["moments"][3].at == NOON + timedelta(milliseconds=2250)
    lines = [(each.label, each.tokens, each.cost_usd) for each in context["cost_lines"]]
    assert lines == [
        ("Sent", 600, Decimal("0.0012")),
        ("From the cache", 400, Decimal("0.0004")),
        ("Made", 100, Decimal("0.0004")),
    ]
    assert sum(cost for _, _, cost in lines) == context["row"].call.cost_usd
    assert context["price"] == named.price
    assert [(each.candidate, each.ended_ms) for each in context["attempts"]] == [
        (named.candidate.name, 2250)
    ]
    assert ("Added by PilotDash", "0.9 ms") in context["facts"]


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        ("ok", "B answered instead."),
        ("client_cancelled", "B answered instead."),
        ("upstream_error", "B could not either."),
        ("stream_broken", "B could not either."),
    ],
)
def test_where_another_candidate_stood_in_the_page_names_both(client, named, outcome, ending):
    asked, other = make_candidate(name="A"), make_candidate(name="B")
    times = {"started_ms": 0, "ended_ms": 1, "status": None, "error": "connect"}
    call = named.call(
        candidate=other, assigned_candidate_id=asked.id, alias="chat", outcome=outcome
    )
    tried = [{"candidate_id": each} | times for each in (asked.id, asked.id, other.id, 999_999)]
    type(call).objects.filter(id=call.id).update(attempts=tried)

    response = get(client, named.lead, f"{named.path}calls/{call.id}/")
    listed = client.get(f"{named.path}calls/").content.decode()

    told = response.context["stood_in"]
    assert told == f"chat stands for A, which could not answer. {ending}"
    assert told in response.content.decode()
    attempts = response.context["attempts"]
    assert [each.candidate for each in attempts] == ["A", "A", "B", "another"]
    assert {each.error for each in attempts} == {"no connection could be made"}
    assert "<span>B</span><small>in place of A</small>" in listed


def test_every_word_of_the_gateways_for_a_problem_is_told_in_plain_ones():
    assert ERRORS - {""} <= set(PROBLEMS)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("connect", "no connection could be made"),
        ("provider status 502", "its provider answered with status 502"),
        ("The model is overloaded.", "The model is overloaded."),
        ("", ""),
    ],
)
def test_problems_are_told_in_plain_words(error, words):
    assert problem(error) == words


def test_where_nobody_stood_in_the_page_says_nothing_of_it(client, named):
    call = named.call()

    response = get(client, named.lead, f"{named.path}calls/{call.id}/")

    assert response.context["stood_in"] == ""
    assert "Another candidate" not in response.content.decode()
    assert "in place of" not in client.get(f"{named.path}calls/").content.decode()


@pytest.mark.parametrize(
    ("fields", "segments"),
    [
        (
            {"outcome": "upstream_timeout", "first_byte_ms": None, "total_ms": 120_000},
            [("until we gave up", 120_000)],
        ),
        (
            {"outcome": "client_cancelled", "total_ms": 300},
            [("until the first byte", 200), ("until the caller left", 100)],
        ),
        ({"outcome": "crashed_unknown", "first_byte_ms": None, "total_ms": None}, []),
        (
            {"outcome": "ok", "streamed": False, "total_ms": 900},
            [("until the first byte", 200), ("answering", 700)],
        ),
    ],
)
def test_a_call_that_ended_otherwise_says_how(client, named, fields, segments):
    call = named.call(**{"first_content_ms": None} | fields)

    response = get(client, named.developer, f"{named.path}calls/{call.id}/")

    assert [(each.label, each.ms) for each in response.context["segments"]] == segments


def test_ones_own_rateable_call_loads_its_rating(client, named):
    call, typed = named.call(), named.call(rateable=False)
    loads = f'hx-get="{named.path}rate/{call.id}/" hx-trigger="load"'

    own = get(client, named.developer, f"{named.path}calls/{call.id}/").content.decode()
    other = get(client, named.developer, f"{named.path}calls/{typed.id}/").content.decode()
    leads = get(client, named.lead, f"{named.path}calls/{call.id}/").content.decode()

    assert loads in own
    assert "Your rating" not in other
    assert "Your rating" not in leads
