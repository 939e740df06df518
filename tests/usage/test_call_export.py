from datetime import timedelta

import pytest

from apps.usage.call_export import MOST_ROWS
from tests.factories import NOON, make_hosting, make_trial
from tests.usage.pages import get, table

pytestmark = pytest.mark.usefixtures("clock")


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
        "stood_in_for": "",
        "provider": named.candidate.provider.name,
        "model_sent": "'=cmd|' /C calc'!A0",
        "blind": "no",
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


def test_the_export_names_whom_another_candidate_stood_in_for(client, named):
    asked = make_trial(named.pilot).candidate
    named.call(assigned_candidate_id=asked.id)

    header, row = table(get(client, named.developer, f"{named.path}calls/calls.csv"))

    known = dict(zip(header, row, strict=True))
    assert (known["candidate"], known["stood_in_for"]) == (named.candidate.name, asked.name)


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
