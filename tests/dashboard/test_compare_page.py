"""How candidates stand to each other, and how far that can be trusted."""

from dataclasses import replace

import pytest
from django.urls import reverse

from apps.core.intervals import Interval
from apps.dashboard.compare_page import checks, duels, page_of, tabs
from apps.metrics.findings import Bias
from apps.metrics.models import StoredFinding
from apps.pilots.models import Incumbent, IncumbentDay
from tests.dashboard.pieces import ALL, FIVE
from tests.factories import NOON, make_candidate, make_pilot, make_trial, make_user
from tests.metrics.test_quality import finding, told

NOTHING_WRONG = Bias(
    asked=100,
    answered=62,
    coverage=0.62,
    raters=12,
    extreme_raters=0,
    changes_without_one=False,
    swapped=0.04,
)


def said(**changes):
    return {check.label: check for check in checks(finding(**changes), ALL)}


def test_each_stands_against_each():
    (chat,) = told(finding())

    first, second = duels(chat)

    assert [cell and (cell.word, cell.gap) for cell in first.cells] == [None, ("better", "+0.8")]
    assert [cell and cell.word for cell in second.cells] == ["worse", None]


def test_nothing_is_told_of_few_people():
    (few,) = told(finding(people=4), reader=FIVE)

    assert (page_of(few, FIVE).duels, page_of(few, FIVE).checks) == ([], [])


def test_good_evidence_passes_every_check():
    found = said(bias=NOTHING_WRONG)

    assert {check.kind for check in found.values()} == {"good", "quiet"}
    assert found["Coverage"].text == "of what was asked was answered (62 of 100)"
    assert (found["Coverage"].value, found["Not this one today"].value) == ("62%", "4.0%")
    assert "Side" not in found


@pytest.mark.parametrize(
    ("changes", "label", "value"),
    [
        ({"coverage": 0.2, "answered": 20}, "Coverage", "20%"),
        ({"changes_without_one": True}, "One left out", "Fragile"),
        ({"extreme_raters": 5}, "Same answer always", "5"),
        ({"seeing_raters": 2}, "Seeing raters", "2"),
        (
            {"sampled": Interval(0.3, 0.4, 0.5), "volunteered": Interval(0.6, 0.7, 0.8)},
            "Random sample",
            "40%",
        ),
    ],
)
def test_what_bends_a_result_is_told_first(changes, label, value):
    (first, *_) = checks(finding(bias=replace(NOTHING_WRONG, **changes)), ALL)

    assert (first.label, first.value, first.kind) == (label, value, "warn")


def test_votes_are_checked_for_sides_and_names():
    bias = replace(NOTHING_WRONG, left=Interval(0.52, 0.6, 0.68), flagged=3, both_bad=0.1)

    found = said(measure="wins", margin=0.05, bias=bias)

    assert (found["Side"].value, found["Side"].kind) == ("60%", "warn")
    assert (found["Named itself"].value, found["Both bad"].value) == ("3", "10%")


def test_people_who_chose_by_themselves_and_few_of_them_are_told():
    found = said(is_blind=False, people=6, withdrawn_since=2)

    assert (found["Blind"].value, found["Blind"].kind) == ("No", "warn")
    assert found["People"].kind == "warn"
    assert found["Withdrawn"].value == "2"


def test_counts_of_few_people_are_told_only_as_such():
    bias = replace(NOTHING_WRONG, extreme_raters=2, seeing_raters=3)

    found = {check.label: check.value for check in checks(finding(bias=bias), FIVE)}

    assert (found["Same answer always"], found["Seeing raters"]) == ("<5", "<5")


def test_roles_are_tabs_where_there_are_several():
    chat, completion = told(finding(), finding(role="completion", measure="acceptance"))

    assert tabs([chat], chat) == []
    assert [(tab.label, tab.url, tab.current) for tab in tabs([chat, completion], completion)] == [
        ("Chat", "?role=chat", False),
        ("Completion", "?role=completion", True),
    ]


@pytest.mark.django_db
def test_the_page_reads_what_is_stored(client):
    pilot = make_pilot()
    first, second = make_candidate(name="First model"), make_candidate(name="Second model")
    make_trial(pilot, first)
    make_trial(pilot, second)
    client.force_login(make_user("lead"))
    url = reverse("compare", args=[pilot.slug])
    assert "Nothing to compare yet" in client.get(url).content.decode()

    tool = Incumbent.objects.create(
        pilot=pilot, name="GitHub Copilot", seats=10, usd_per_seat_month=19, created_at=NOON
    )
    IncumbentDay.objects.create(
        incumbent=tool, day=NOON.date(), shown=100, accepted=27, source="typed", recorded_at=NOON
    )
    stored = finding(winner_id=first.id)
    renamed = {1: first.id, 2: second.id}
    stored = replace(
        stored,
        places=tuple(replace(p, candidate_id=renamed[p.candidate_id]) for p in stored.places),
        contrasts=tuple(
            replace(c, first_id=renamed[c.first_id], second_id=renamed[c.second_id])
            for c in stored.contrasts
        ),
        bias=NOTHING_WRONG,
    )
    StoredFinding.objects.create(
        pilot_id=pilot.id,
        role="chat",
        measure="daily",
        computed_at=stored.computed_at,
        evidence="",
        result=stored.to_json(),
    )

    page = client.get(url).content.decode()
    overview = client.get(reverse("overview", args=[pilot.slug])).content.decode()

    assert "First model is better than Second model by 0.8" in page
    assert "How far this can be trusted" in page
    assert "First model is better than Second model by 0.8" in overview
    assert "GitHub Copilot" in page
    assert "27%" in page
    assert "chat: First model (3.8–4.3); no least was set" in overview
