"""The start of a pilot, and what keeps it back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.catalog.models import CandidateState
from apps.pilots.checklist import checklist
from apps.pilots.models import Goal, Pilot, PilotEvent, Plan, Rotation, Trial
from apps.pilots.plans import draft_pilot
from apps.pilots.serving import AlreadyStarted
from apps.pilots.starting import NotReady, start_pilot
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_pilot,
    make_price,
    make_user,
)
from tests.trail import audited, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def candidates():
    found = [make_candidate(slug=slug, name=slug.title()) for slug in ("one", "two")]
    for each in found:
        make_price(each)
    return found


@pytest.fixture
def pilot(candidates):
    pilot = draft_pilot(
        slug="p",
        name="P",
        starts_on=date(2026, 11, 19),
        ends_on=date(2026, 12, 16),
        zone="UTC",
        budget_usd=Decimal(900),
        now=NOON,
    )
    make_enrollment(pilot)
    Plan.objects.update(memory_gb=80, usd_per_year_most=9_000)
    return pilot


def titles(pilot):
    return [(each.title, each.is_blocker) for each in checklist(pilot, now=NOON)]


def test_start_publishes_begins_turns_and_logs_what_was_set(pilot):
    before, actor = versions(), make_user().person

    rotations = start_pilot(pilot=pilot, now=NOON, actor=actor)

    pilot.refresh_from_db()
    assert (pilot.started_at, pilot.is_draft) == (NOON, False)
    assert [each.alias for each in rotations] == ["pilot-chat"]
    assert versions() > before
    started = [entry for entry in audited() if entry[0] == "pilot started"]
    assert started == [
        (
            "pilot started",
            "pilot p",
            {
                "stage": "trial",
                "people_named": False,
                "decide_by": "2026-12-16",
                "tie_break": "cheapest",
                "baseline": "none",
                "residence_most": "outside",
                "first_content_ms_most": "2000",
                "memory_gb": "80",
                "usd_per_year_most": "9000",
                "failed_share_most": "0.02",
                "upkeep_hours_week_most": "4",
                "chat": "daily, margin 0.3, least 3.5",
            },
        )
    ]
    assert PilotEvent.objects.order_by("id").first().text == (
        "Trial started: 2026-11-19 to 2026-12-16, decided by 2026-12-16"
    )


def test_nothing_takes_turns_that_is_not_blind_or_only_screened(pilot):
    Goal.objects.update(is_blind=False)
    assert start_pilot(pilot=pilot, now=NOON) == []


def test_screening_takes_no_turns(pilot):
    Pilot.objects.update(stage="screening")

    assert start_pilot(pilot=pilot, now=NOON) == []


def test_pilot_starts_once(pilot):
    start_pilot(pilot=pilot, now=NOON)

    with pytest.raises(AlreadyStarted):
        start_pilot(pilot=pilot, now=NOON)

    assert Rotation.objects.count() == 1


def test_what_keeps_it_back_is_told_and_changes_nothing(pilot, candidates):
    candidates[0].state = CandidateState.PAUSED
    candidates[0].save()

    with pytest.raises(NotReady) as refused:
        start_pilot(pilot=pilot, now=NOON)

    assert [each.title for each in refused.value.missing] == ["One is paused"]
    assert Pilot.objects.get().is_draft
    assert not Rotation.objects.exists()


def test_complete_draft_lacks_a_test_and_knows_no_context(pilot, candidates):
    names = [each.provider.name for each in candidates]

    assert titles(pilot) == [
        (f"{names[0]} is not tested", False),
        (f"{names[1]} is not tested", False),
        ("Chat: before they take turns", False),
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda: Goal.objects.update(candidate_ids=[]),
            [("No candidate serves any role", True)],
        ),
        (
            lambda: Pilot.objects.update(
                starts_on=date(2026, 11, 1), ends_on=NOON.date() - timedelta(days=1)
            ),
            [("The last day lies in the past", True)],
        ),
        (
            lambda: Pilot.objects.update(starts_on=date(2026, 11, 1)),
            [("The first day lies in the past", False)],
        ),
        (
            lambda: Plan.objects.update(decide_by=date(2026, 11, 17)),
            [("The decide-by date lies in the past", True)],
        ),
        (
            lambda: Plan.objects.update(decide_by=date(2027, 1, 1)),
            [("It decides after its last day", False)],
        ),
        (lambda: Trial.objects.filter(alias="two").delete(), [("Two is not on trial", True)]),
        (lambda: Pilot.objects.update(budget_usd=None), [("No budget", False)]),
        (
            lambda: Pilot.objects.update(ends_on=date(2026, 11, 25)),
            [("7 days are short for a trial", False)],
        ),
        (lambda: Plan.objects.update(memory_gb=None), [("Thresholds not set", False)]),
        (lambda: Goal.objects.update(least=None), [("Least worth having not set", False)]),
        (lambda: Goal.objects.update(is_blind=False), [("Chat is not blind", False)]),
    ],
)
def test_checklist_says_what_is_missing(pilot, change, expected):
    before = set(titles(pilot))

    change()

    pilot.refresh_from_db()
    assert [each for each in titles(pilot) if each not in before][: len(expected)] == expected


def test_checklist_tells_of_candidates_that_one_could_tell_apart(pilot, candidates):
    for each, tokens in zip(candidates, (8_000, 32_000), strict=True):
        each.context_tokens = tokens
        each.save()

    blockers = [each for each in checklist(pilot, now=NOON) if each.is_blocker]

    assert [(each.title, each.detail) for each in blockers] == [
        (
            "Chat: they cannot take turns blind",
            "Their contexts differ by more than a factor of 2: One takes 8,000 tokens, Two 32,000.",
        )
    ]


def test_checklist_tells_of_prices_people_and_mail(pilot, candidates, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    candidates[0].prices.all().delete()
    pilot.enrollments.all().delete()

    found = [title for title, _ in titles(pilot)]

    assert [each for each in found if "tested" not in each] == [
        "One has no price",
        "Chat: before they take turns",
        "Nobody takes part",
        "Mail is not set up",
    ]


def test_screening_with_a_crowd_does_not_start(pilot):
    Pilot.objects.update(stage="screening")
    for _ in range(5):
        make_enrollment(pilot)
    pilot.refresh_from_db()

    assert titles(pilot)[0] == ("6 people take part", True)


def test_blind_wins_need_two(pilot, candidates):
    Goal.objects.update(measure="wins", candidate_ids=[candidates[0].id], is_blind=False)

    assert titles(pilot)[0] == ("Chat cannot be judged so", True)


def test_each_thing_missing_names_the_page_that_fixes_it(pilot, client):
    client.force_login(make_user("admin", totp_exempt=True))
    Goal.objects.update(candidate_ids=[])
    Plan.objects.update(memory_gb=None)

    urls = {each.url for each in checklist(make_pilot(started_at=None), now=NOON)}
    urls |= {each.url for each in checklist(pilot, now=NOON)}

    assert {client.get(url).status_code for url in urls} == {200}
