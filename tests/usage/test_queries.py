from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from apps.core.uuid7 import compose, instant_of
from apps.usage.ingest import store_records
from apps.usage.models import Call
from apps.usage.queries import CallFilter, calls_page, latest_call, newest_calls, one_call, price_of
from tests.factories import NOON, make_hosting, make_person, make_pilot, make_record, make_trial

MILLIS = int(NOON.timestamp()) * 1000


def everything(scene, **narrowed):
    return CallFilter(scene.pilot.period, **narrowed)


def ids(page):
    return [row.call.id for row in page.rows]


def walk(scene, size, **narrowed):
    """Return the pages from the newest to the oldest."""
    pages, before = [], None
    while True:
        page = calls_page(scene.pilot, everything(scene, **narrowed), before=before, size=size)
        pages.append(page)
        if page.older is None:
            return pages
        before = page.older


def test_pages_go_from_the_newest_to_the_oldest_and_back(named):
    wanted = [call.id for call in named.calls(5)]

    first, second, third = walk(named, 2)

    assert [ids(first), ids(second), ids(third)] == [wanted[:2], wanted[2:4], wanted[4:]]
    assert (first.newer, second.newer, third.newer) == (None, wanted[2], wanted[4])
    back = calls_page(named.pilot, everything(named), after=third.newer, size=2)
    assert (ids(back), back.newer, back.older) == (wanted[2:4], wanted[2], wanted[3])
    top = calls_page(named.pilot, everything(named), after=wanted[1], size=2)
    assert (ids(top), top.newer, top.older) == (wanted[:2], None, wanted[1])


def test_calls_of_one_millisecond_are_each_on_one_page(named):
    # Microseconds differ, and not in the order of the ids.
    micros = [400, 100, 300, 300, 200]
    records = [
        replace(
            make_record(
                pilot_id=named.pilot.id,
                person_id=named.developer.person_id,
                candidate_id=named.candidate.id,
            ),
            id=str(compose(MILLIS, 7, number)),
            admitted_at=NOON + timedelta(microseconds=micro),
        )
        for number, micro in enumerate(micros)
    ]
    store_records(records)
    wanted = [UUID(records[number].id) for number in (0, 3, 2, 4, 1)]

    for size in (1, 2, 3):
        assert [each for page in walk(named, size) for each in ids(page)] == wanted
    assert ids(calls_page(named.pilot, everything(named), after=wanted[3], size=2)) == wanted[1:3]


def test_a_cursor_whose_call_is_gone_still_has_its_place(named):
    newest, gone, oldest = named.calls(3)
    Call.objects.filter(id=gone.id).delete()

    page = calls_page(named.pilot, everything(named), before=gone.id)

    assert ids(page) == [oldest.id]
    assert ids(calls_page(named.pilot, everything(named), after=gone.id, size=1)) == [newest.id]


@pytest.mark.parametrize(
    ("narrowed", "wanted"),
    [
        ({}, ["chat", "failed", "left", "guessed", "bare"]),
        ({"task": "edit"}, ["left"]),
        ({"outcome": "ok"}, ["chat", "guessed", "bare"]),
        ({"outcome": "failed"}, ["failed"]),
        ({"outcome": "client_cancelled"}, ["left"]),
        ({"only": "estimated"}, ["guessed"]),
        ({"only": "uncosted"}, ["bare"]),
        ({"only": "rateable"}, ["chat", "guessed", "bare"]),
    ],
)
def test_filters_leave_what_they_say(named, narrowed, wanted):
    ago = [NOON - timedelta(minutes=each) for each in range(6)]
    known = {
        named.call(at=ago[0]).id: "chat",
        named.call(at=ago[1], outcome="upstream_timeout", rateable=False).id: "failed",
        named.call(at=ago[2], task="edit", outcome="client_cancelled", rateable=False).id: "left",
        named.call(at=ago[3], usage_source="estimated").id: "guessed",
        named.call(at=ago[4], prompt_tokens=None, completion_tokens=None).id: "bare",
    }
    named.call(at=ago[5], source="probe")

    page = calls_page(named.pilot, everything(named, **narrowed))

    assert [known[each] for each in ids(page)] == wanted


def test_a_machine_paid_by_the_hour_is_no_missing_price(named):
    hosted = make_trial(named.pilot).candidate
    make_hosting(hosted, started_at=NOON - timedelta(minutes=30))
    inside = named.call(candidate=hosted)
    before = named.call(candidate=hosted, at=NOON - timedelta(hours=1))

    rows = calls_page(named.pilot, everything(named)).rows

    assert [(row.is_hosted, row.is_uncosted) for row in rows] == [(True, False), (False, True)]
    uncosted = calls_page(named.pilot, everything(named, only="uncosted"))
    assert ids(uncosted) == [before.id] != [inside.id]


def test_candidate_person_period_and_pilot_narrow(named):
    other = make_trial(named.pilot).candidate
    person = make_person()
    mine, theirs = named.call(), named.call(candidate=other, person=person)
    store_records([make_record(pilot_id=make_pilot().id, person_id=1, candidate_id=other.id)])
    narrow = replace(everything(named), period=replace(named.pilot.period, end=NOON))

    assert ids(calls_page(named.pilot, everything(named, candidate_id=other.id))) == [theirs.id]
    assert ids(calls_page(named.pilot, everything(named, person_id=person.id))) == [theirs.id]
    assert ids(calls_page(named.pilot, narrow)) == []
    assert {*ids(calls_page(named.pilot, everything(named)))} == {mine.id, theirs.id}


def test_names_are_told_only_when_asked_for(named):
    ghost = make_person()
    named.call()
    named.call(person=ghost, at=NOON - timedelta(minutes=1))

    told = calls_page(named.pilot, everything(named), with_names=True)
    hidden = calls_page(named.pilot, everything(named))

    assert [row.person for row in told.rows] == ["Ada Moreno", ghost.pseudonym]
    assert [row.person for row in hidden.rows] == ["", ""]


def test_an_export_holds_the_newest_up_to_a_bound(named):
    wanted = [call.id for call in named.calls(3)][:2]

    rows = newest_calls(named.pilot, everything(named), with_names=False, limit=2)

    assert [row.call.id for row in rows] == wanted


def test_one_call_is_found_by_its_id_within_its_pilot(named):
    record = make_record(
        pilot_id=named.pilot.id,
        person_id=named.developer.person_id,
        candidate_id=named.candidate.id,
    )
    store_records([replace(record, admitted_at=NOON + timedelta(microseconds=999))])
    call_id = UUID(record.id)

    row = one_call(named.pilot, call_id, with_names=True)

    assert instant_of(call_id) == NOON
    assert (row.call.id, row.person) == (call_id, "Ada Moreno")
    assert one_call(make_pilot(), call_id, with_names=True) is None
    assert one_call(named.pilot, compose(MILLIS, 0, 1), with_names=True) is None


def test_a_probe_has_no_page(named):
    probe = named.call(source="probe")

    assert one_call(named.pilot, probe.id, with_names=True) is None
    assert latest_call(named.pilot, named.developer.person) is None


def test_the_price_is_the_one_that_the_call_was_costed_with(named):
    call = named.call()
    bare = named.call(prompt_tokens=None, completion_tokens=None)

    assert (price_of(call), call.cost_usd) == (named.price, Decimal("0.0024"))
    assert price_of(bare) is None


def test_speed_is_told_of_streams_alone(named):
    named.call(first_content_ms=250, total_ms=2250, completion_tokens=100)
    named.call(at=NOON - timedelta(minutes=1), streamed=False)
    named.call(at=NOON - timedelta(minutes=2), first_content_ms=250, total_ms=250)

    rows = calls_page(named.pilot, everything(named)).rows

    assert [row.tokens_per_s for row in rows] == [Decimal(50), None, None]
