"""From a screening that runs to the trial of its finalists."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.catalog.models import Candidate, CandidateState
from apps.dashboard.plan_estimates import promises
from apps.pilots.going_on import NotScreening, go_on_to_trial
from apps.pilots.models import Goal, Pilot, PilotEvent, Plan, Rotation, Stage, Trial
from apps.pilots.plan_queries import goals_of
from apps.pilots.serving import NobodyChosen, Service, TooManyFinalists
from apps.pilots.starting import NotReady
from apps.pilots.trail import PilotClosed
from tests.factories import NOON, make_pilot, make_trial, make_user
from tests.pilots.arms import arm
from tests.pilots.planning import said
from tests.trail import audited

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
DAY = timedelta(days=1)


@pytest.fixture
def arms():
    return [arm(slug=slug, name=slug.title()) for slug in ("one", "two", "three", "four", "five")]


@pytest.fixture
def screening(arms):
    """A screening of four among five candidates, of which one has a measure of its own."""
    pilot = make_pilot(slug="first", stage=Stage.SCREENING)
    Plan.objects.create(
        pilot=pilot, decide_by=pilot.ends_on, people_expected=4, changed_at=pilot.created_at
    )
    for each in arms[:4]:
        make_trial(pilot, each)
    for role, measure in (("chat", "wins"), ("edit", "daily")):
        ids = [each.id for each in arms[:4]]
        told = {"measure": measure, "margin": Decimal("0.2"), "is_blind": False}
        Goal.objects.create(pilot=pilot, role=role, candidate_ids=ids, **told)
    return pilot


def going_on(pilot, *ids, now=NOON, people=25, is_blind=True, role="chat"):
    services = {role: Service(ids, is_blind)}
    return go_on_to_trial(pilot=pilot, people_expected=people, services=services, now=now)


def standing(pilot):
    return list(
        Trial.objects.filter(pilot=pilot, dropped_at=None)
        .order_by("candidate_id")
        .values_list("candidate_id", flat=True)
    )


def test_finalists_go_on_blind_and_the_others_are_dropped(screening, arms):
    two, five = arms[1].id, arms[4].id

    rotations = going_on(screening, two, five)

    pilot = Pilot.objects.get()
    assert (pilot.stage, pilot.started_at) == (Stage.TRIAL, screening.started_at)
    assert [each.alias for each in rotations] == ["pilot-chat"]
    eras = rotations[0].known_eras()
    assert [(era.first_day, era.candidate_ids) for era in eras] == [(NOON.date(), (two, five))]
    assert standing(pilot) == [two, five]
    fields = ("role", "measure", "margin", "is_blind", "candidate_ids")
    assert list(Goal.objects.values_list(*fields)) == [
        ("chat", "wins", Decimal("0.2"), True, [two, five])
    ]
    assert Plan.objects.get().people_expected == 25
    assert [action for action, _, _ in audited()] == [
        *["trial dropped"] * 3,
        "trial added",
        "trial follows screening",
        "rotation started",
    ]
    assert list(PilotEvent.objects.order_by("id").values_list("text", flat=True)) == [
        "One was dropped",
        "Three was dropped",
        "Four was dropped",
        "Five went on trial",
        "Trial followed the screening: to 2026-11-29, decided by 2026-11-29",
        "Blind rotation for chat began, behind pilot-chat",
    ]


def test_who_is_not_blind_takes_no_turns(screening, arms):
    assert going_on(screening, arms[0].id, arms[1].id, is_blind=False) == []

    assert Pilot.objects.get().stage == Stage.TRIAL


def test_weeks_of_the_review_count_from_the_trial_on(screening, arms):
    going_on(screening, arms[0].id, arms[1].id, now=NOON)

    found = promises(Pilot.objects.get(), goals_of(screening), 25)[0]

    # Twelve days are left of the four weeks.
    assert (found.candidates, found.why_not) == (2, "")
    assert [look.is_after for look in found.chances] == [True, True, True]


@pytest.mark.parametrize(
    ("fields", "places", "refusal"),
    [
        ({"stage": Stage.TRIAL}, [0, 1], NotScreening),
        ({"started_at": None}, [0, 1], NotScreening),
        ({"closed_at": NOON}, [0, 1], PilotClosed),
        ({}, [], NobodyChosen),
        ({}, [0, 1, 2, 3], TooManyFinalists),
        ({"ends_on": date(2026, 11, 17)}, [0, 1], NotReady),
    ],
)
def test_what_does_not_do_changes_nothing(screening, arms, fields, places, refusal):
    Pilot.objects.update(**fields)
    before = Pilot.objects.get().stage

    with pytest.raises(refusal):
        going_on(screening, *(arms[place].id for place in places))

    assert (Pilot.objects.get().stage, len(standing(screening))) == (before, 4)
    assert (Goal.objects.count(), Rotation.objects.count(), audited()) == (2, 0, [])


def test_administrator_goes_on_from_the_page(client, screening, arms):
    today = timezone.now().date()
    Pilot.objects.update(starts_on=today - DAY, ends_on=today + 27 * DAY)
    Plan.objects.update(decide_by=today + 27 * DAY)
    client.force_login(make_user("admin", totp_exempt=True))
    page = "/setup/pilots/first/plan/candidates/"
    told = {"people_expected": "25", "chat_blind": "on"}

    shown = client.get(page)
    ways = [
        client.get(f"/setup/pilots/first/{path}").content.decode() for path in ("", "plan/review/")
    ]
    Candidate.objects.filter(id=arms[0].id).update(state=CandidateState.PAUSED)
    refused = client.post(page, told | {"chat": [arms[0].id, arms[1].id]})
    many = client.post(page, told | {"chat": [each.id for each in arms[:4]]})
    done = client.post(page, told | {"chat": [arms[1].id, arms[2].id]})

    form = shown.context["form"]
    assert ("stage" in form.fields, form["people_expected"].value()) == (False, 25)
    assert "Go on to the trial" in shown.content.decode()
    assert [f'href="{page}">Go on to the trial' in way for way in ways] == [True, True]
    assert said(refused) == {
        "__all__": ["One is paused. Its calls would be refused, or answered by another."]
    }
    assert list(said(many)) == ["__all__"]
    assert done.url == "/setup/pilots/first/plan/measures/"
    assert standing(screening) == [arms[1].id, arms[2].id]
    after = client.get("/setup/pilots/first/").content.decode()
    assert "Go on to the trial" not in after
    assert "It has started" in client.get(page).content.decode()
