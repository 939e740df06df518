import csv
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.usage.call_export import MOST_ROWS
from tests.factories import NOON, make_hosting, make_trial, make_user
from tests.usage.conftest import make_scene

AT = NOON + timedelta(hours=3)


@pytest.fixture(autouse=True)
def clock(monkeypatch, valkey):
    monkeypatch.setattr(timezone, "now", lambda: AT)


def get(client, user, path, **params):
    client.force_login(user)
    return client.get(path, params)


def shown(response):
    return [each.row.call.id for each in response.context["listed"]]


def table(response):
    return list(csv.reader(StringIO(response.content.decode())))


def traces(call):
    """What would tell the moment of a call or who made it: its id in any form, time, person."""
    millis = call.id.int >> 80
    at = call.admitted_at
    return [
        str(call.id),
        call.id.hex,
        f"{millis}",
        f"{millis:x}",
        f"{at:%H:%M:%S}",
        f"{at:%H:%M}",
        call.session,
        call.client,
    ]


@pytest.mark.parametrize("page", ["calls/", "calls/calls.csv", "calls/{id}/"])
def test_who_may_open_the_pages(client, named, page):
    call = named.call()
    path = named.path + page.format(id=call.id)

    def status(user):
        return get(client, user, path).status_code

    assert client.get(path).status_code == 302
    assert status(named.lead) == status(named.developer) == 200
    assert status(make_user(role=Role.ADMIN, totp_exempt=True)) == 200
    assert status(make_user(role=Role.VIEWER)) == 403
    assert status(make_user()) == 404


def test_a_lead_of_a_pilot_that_names_people_sees_who_and_when(client, named):
    call = named.call()

    response = get(client, named.lead, f"{named.path}calls/")

    html = response.content.decode()
    assert shown(response) == [call.id]
    assert ">Ada Moreno</td>" in html
    assert ">18 Nov, 12:00:00</time>" in html
    assert f'href="{named.path}calls/{call.id}/"' in html


def test_a_developer_sees_their_own_calls_alone(client, named):
    mine, theirs = named.call(), named.call(person=named.colleague().person)

    response = get(client, named.developer, f"{named.path}calls/", person=theirs.person_id)

    assert shown(response) == [mine.id]
    assert "person" not in response.context["form"].fields
    assert get(client, named.developer, f"{named.path}calls/{mine.id}/").status_code == 200
    assert get(client, named.developer, f"{named.path}calls/{theirs.id}/").status_code == 404
    assert len(table(get(client, named.developer, f"{named.path}calls/calls.csv"))) == 2


def test_a_call_of_another_pilot_is_not_found(client, named):
    other = make_scene(people_named=True)
    call = other.call()

    assert get(client, named.lead, f"{named.path}calls/{call.id}/").status_code == 404


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
def test_where_nobody_is_named_leads_learn_neither_who_nor_the_minute(client, unnamed, role):
    reader = make_user(role=role, totp_exempt=True)
    at = NOON.replace(minute=37, second=41, microsecond=123_000)
    words = {"session": "a-session-of-hers", "client": "her-client/7"}
    calls = [unnamed.call(at=at - timedelta(seconds=each), **words) for each in range(60)]
    who = [unnamed.developer.name, unnamed.developer.email, unnamed.developer.person.pseudonym]

    first = get(client, reader, f"{unnamed.path}calls/")
    older = client.get(f"{unnamed.path}calls/{first.context['older']}")
    newer = client.get(f"{unnamed.path}calls/{older.context['newer']}")
    link = re.search(r'<a id="[^"]+" href="([^"]+)"', first.content.decode()).group(1)
    one = client.get(link)
    export = client.get(f"{unnamed.path}calls/calls.csv")

    assert (len(shown(first)), len(shown(older))) == (50, 10)
    assert {*shown(first), *shown(older)} == {call.id for call in calls}
    assert {*shown(newer)} == {*shown(first)}
    for response in (first, older, newer, one, export):
        text = response.content.decode()
        assert "12:00" in text
        for trace in [*who, *(trace for call in calls for trace in traces(call))]:
            assert trace not in text
    assert "person" not in first.context["form"].fields
    assert one.context["row"].call.id in {call.id for call in calls}


def test_where_nobody_is_named_a_plain_id_opens_nothing(client, unnamed):
    call = unnamed.call()

    assert get(client, unnamed.lead, f"{unnamed.path}calls/{call.id}/").status_code == 404
    assert get(client, unnamed.developer, f"{unnamed.path}calls/{call.id}/").status_code == 200


def test_where_nobody_is_named_the_order_within_an_hour_is_not_that_of_time(client, unnamed):
    calls = unnamed.calls(8)
    late = unnamed.call(at=NOON + timedelta(hours=1))

    response = get(client, unnamed.lead, f"{unnamed.path}calls/")

    listed = response.context["listed"]
    # At 12:00, then 11:53 to 11:59: hours from the newest, each in the order of its references.
    assert shown(response)[:2] == [late.id, calls[0].id]
    assert [each.reference for each in listed[2:]] == sorted(each.reference for each in listed[2:])
    assert {*shown(response)[2:]} == {call.id for call in calls[1:]}


def test_where_nobody_is_named_a_person_is_no_filter(client, unnamed):
    pseudonym = unnamed.developer.person.pseudonym
    unnamed.call()
    unnamed.call(person=unnamed.colleague().person)

    response = get(client, unnamed.lead, f"{unnamed.path}calls/", person=pseudonym)

    assert len(shown(response)) == 2


def test_links_keep_the_filters_and_cursors_that_make_no_sense_are_ignored(client, named):
    calls = named.calls(51)
    path = f"{named.path}calls/"

    first = get(client, named.lead, path, task="chat", days="28")
    odd = get(
        client, named.lead, path, before="no id", after="00000000-0000-0000-0000-000000000000"
    )

    assert first.context["older"] == f"?task=chat&days=28&before={calls[49].id}"
    assert first.context["newer"] is None
    assert shown(client.get(path + first.context["older"])) == [calls[50].id]
    assert shown(odd) == [call.id for call in calls[:50]]


def test_filters_that_make_no_sense_are_ignored(client, named):
    call = named.call()

    response = get(client, named.lead, f"{named.path}calls/", task="nonsense", person="nobody")

    assert shown(response) == [call.id]


@pytest.mark.parametrize("calls", [1, 3])
def test_the_list_asks_the_same_queries_for_any_number_of_calls(
    client, named, calls, django_assert_num_queries
):
    for minutes in range(calls):
        candidate = make_trial(named.pilot).candidate
        person = named.colleague().person
        named.call(at=NOON - timedelta(minutes=minutes), candidate=candidate, person=person)
    get(client, named.lead, f"{named.path}calls/")

    with django_assert_num_queries(9):
        response = client.get(f"{named.path}calls/")

    assert len(shown(response)) == calls


def test_the_first_page_of_a_running_period_looks_again_by_itself(client, named):
    named.calls(51)
    path = f"{named.path}calls/"

    first = get(client, named.lead, path)
    fragment = client.get(path, headers={"HX-Request": "true"}).content.decode()

    assert f'hx-get="{path}" hx-trigger="every 15s"' in first.content.decode()
    assert fragment.startswith('<section id="calls"')
    assert "<html" not in fragment
    assert "hx-get" not in client.get(path + first.context["older"]).content.decode()
    assert (
        "hx-get"
        not in client.get(path, {"from": "2026-11-16", "to": "2026-11-17"}).content.decode()
    )


def test_an_empty_list_says_what_to_do(client, named):
    lead = get(client, named.lead, f"{named.path}calls/").content.decode()
    own = get(client, named.developer, f"{named.path}calls/").content.decode()
    narrowed = get(client, named.developer, f"{named.path}calls/?task=chat").content.decode()

    assert "No calls in these days" in lead
    assert f'href="{named.path}people/"' in lead
    assert "No calls of yours in these days" in own
    assert "No calls match" in narrowed


def test_costs_say_what_they_are(client, named):
    hosted = make_trial(named.pilot).candidate
    make_hosting(hosted)
    named.call(usage_source="estimated")
    named.call(candidate=hosted, at=NOON - timedelta(minutes=1))
    named.call(prompt_tokens=None, completion_tokens=None, at=NOON - timedelta(minutes=2))

    html = get(client, named.lead, f"{named.path}calls/").content.decode()

    cells = re.findall(r'<td class="r">([^\n]*)</td>\s*</tr>', html)
    assert cells == [
        "$0.0024",
        '<span class="muted">by the hour</span>',
        '<span class="warn">no price</span>',
    ]
    assert html.count('<span class="sr">about </span>') == 2


def test_the_export_holds_what_the_filters_leave(client, named):
    call = named.call(session="=2+2", alias="=cmd|' /C calc'!A0", error="@SUM(1)")
    named.call(task="edit", at=NOON - timedelta(minutes=1))

    response = get(client, named.lead, f"{named.path}calls/calls.csv", task="chat", days="7")

    header, row = table(response)
    known = dict(zip(header, row, strict=True))
    assert response["Content-Disposition"] == (
        f'attachment; filename="calls-{named.pilot.slug}-2026-11-12-2026-11-18.csv"'
    )
    assert known == {
        "call": str(call.id),
        "admitted_at_utc": "2026-11-18 12:00:00.000",
        "person": "Ada Moreno",
        "candidate": named.candidate.name,
        "provider": named.candidate.provider.name,
        "model_sent": "'=cmd|' /C calc'!A0",
        "task": "chat",
        "endpoint": "chat/completions",
        "outcome": "ok",
        "status": "200",
        "streamed": "yes",
        "first_byte_ms": "200",
        "first_content_ms": "250",
        "total_ms": "2250",
        "prompt_tokens": "1000",
        "cached_tokens": "0",
        "completion_tokens": "100",
        "tokens_from": "provider",
        "estimated": "no",
        "cost_usd": "0.002400000000",
        "cost_basis": "tokens",
        "attempts": "0",
        "problem": "'@SUM(1)",
    }


def test_the_export_marks_what_is_estimated_hosted_and_without_a_price(client, named):
    hosted = make_trial(named.pilot).candidate
    make_hosting(hosted)
    named.call(usage_source="estimated")
    named.call(candidate=hosted, at=NOON - timedelta(minutes=1))
    named.call(prompt_tokens=None, completion_tokens=None, at=NOON - timedelta(minutes=2))

    header, *rows = table(get(client, named.developer, f"{named.path}calls/calls.csv"))

    names = ("tokens_from", "estimated", "cost_usd", "cost_basis")
    assert "person" not in header
    assert [[row[header.index(name)] for name in names] for row in rows] == [
        ["estimated", "yes", "0.002400000000", "tokens"],
        ["provider", "no", "", "machine by the hour"],
        ["provider", "no", "", "no price"],
    ]


def test_an_export_that_is_cut_says_so_in_its_name(client, named, monkeypatch):
    monkeypatch.setattr("apps.usage.views.MOST_ROWS", 2)
    named.calls(3)

    response = get(client, named.lead, f"{named.path}calls/calls.csv")

    assert MOST_ROWS == 10_000
    assert len(table(response)) == 3
    assert response["Content-Disposition"].endswith('-2026-11-18-newest-2.csv"')


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


def test_times_are_told_in_the_pilots_zone(client, db):
    scene = make_scene(people_named=True, zone="Asia/Tokyo")
    scene.call()

    html = get(client, scene.lead, f"{scene.path}calls/").content.decode()

    assert ">18 Nov, 21:00:00</time>" in html
