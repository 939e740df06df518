"""What is set of a pilot beforehand, and what becomes of it when it is changed later."""

from datetime import date
from decimal import Decimal

import pytest

from apps.pilots.actions import NamesWereToStayHidden
from apps.pilots.models import Goal, Pilot, PilotEvent, Plan, TieBreak, Trial
from apps.pilots.plan_queries import changes_after_start
from apps.pilots.plans import (
    Aim,
    DecidesOutside,
    MeasureDoesNotFit,
    change_basics,
    choose_privacy,
    draft_pilot,
    set_plan,
)
from apps.pilots.trail import PilotClosed
from tests.factories import NOON, make_candidate, make_enrollment, make_pilot, make_user
from tests.trail import audited

pytestmark = pytest.mark.django_db
BASICS = {
    "name": "Autumn",
    "starts_on": date(2026, 12, 1),
    "ends_on": date(2026, 12, 28),
    "zone": "Europe/Berlin",
    "budget_usd": Decimal(900),
}
PRIVACY = {
    "people_named": False,
    "rating_scale": "stars",
    "daily_question": "How did it go?",
    "pulse_questions": ["", "Would you miss it?", "", ""],
    "rating_tags": ["fast", "wrong"],
    "widget_origins": ["https://tools.example.com"],
    "sample_share": Decimal("0.1"),
}


def draft(**fields):
    return draft_pilot(slug="autumn", now=NOON, **BASICS | fields)


def goals():
    fields = ("role", "measure", "margin", "least", "is_blind", "candidate_ids")
    return list(Goal.objects.order_by("role").values_list(*fields))


def test_draft_has_a_default_for_everything():
    one, two = make_candidate(slug="one"), make_candidate(slug="two")
    make_candidate(slug="three")

    pilot = draft()

    plan = Plan.objects.get()
    assert pilot.is_draft
    assert (plan.decide_by, plan.tie_break, plan.first_content_ms_most) == (
        date(2026, 12, 28),
        "cheapest",
        2_000,
    )
    assert goals() == [
        ("chat", "daily", Decimal("0.3"), Decimal("3.5"), True, [one.id, two.id]),
    ]
    assert list(Trial.objects.order_by("id").values_list("alias", flat=True)) == ["one", "two"]
    assert not PilotEvent.objects.exists()


def test_draft_completes_code_where_its_candidates_can():
    ids = [make_candidate(fim_template="{prefix}<f>{suffix}").id for _ in range(2)]

    draft()

    assert goals()[1] == (
        "completion",
        "acceptance",
        Decimal("0.03"),
        Decimal("0.2"),
        True,
        ids,
    )


def test_finalists_of_a_draft_are_those_that_may_take_turns():
    short = make_candidate(context_tokens=8_000)
    one, two = (make_candidate(context_tokens=32_000) for _ in range(2))

    draft()

    assert goals()[0][4:] == (True, [one.id, two.id])
    assert short.id not in goals()[0][5]


def test_one_candidate_alone_is_not_blind():
    make_candidate()

    draft()

    assert goals()[0][4] is False


def test_draft_without_candidates_is_there():
    draft()

    assert goals() == [("chat", "daily", Decimal("0.3"), Decimal("3.5"), False, [])]


def test_draft_that_decides_on_its_last_day_goes_on_doing_so():
    pilot = draft()

    change_basics(pilot=pilot, now=NOON, **BASICS | {"ends_on": date(2027, 1, 4)})

    assert Plan.objects.get().decide_by == date(2027, 1, 4)
    assert changes_after_start(pilot) == []


def test_basics_keep_the_decision_within_the_pilot():
    pilot = draft()
    set_plan(pilot=pilot, aims={}, fields={"decide_by": date(2026, 12, 14)}, now=NOON)

    with pytest.raises(DecidesOutside):
        change_basics(pilot=pilot, now=NOON, **BASICS | {"starts_on": date(2026, 12, 20)})

    assert Pilot.objects.get().starts_on == date(2026, 12, 1)


def test_plan_is_set_and_audited():
    pilot = draft()
    told = {"tie_break": TieBreak.FASTEST, "memory_gb": 80}

    set_plan(pilot=pilot, aims={"chat": Aim("wins", Decimal("0.05"), None)}, fields=told, now=NOON)

    assert goals()[0][1:4] == ("wins", Decimal("0.05"), None)
    assert audited()[-1] == (
        "plan changed",
        "pilot autumn",
        {
            "tie break": ["cheapest", "fastest"],
            "memory in GB": ["none", "80"],
            "chat measure": ["daily", "wins"],
            "chat margin": ["0.3", "0.05"],
            "chat least": ["3.5", "none"],
        },
    )
    assert not PilotEvent.objects.exists()


def test_setting_the_same_again_is_no_change():
    pilot = draft()
    before = len(audited())

    set_plan(pilot=pilot, aims={}, fields={"tie_break": "cheapest"}, now=NOON)

    assert len(audited()) == before


def test_change_after_the_start_is_told_as_one():
    actor = make_user(name="Ada").person
    pilot = make_pilot(slug="running")
    Goal.objects.create(pilot=pilot, role="chat", measure="daily", margin=Decimal("0.3"))

    aims = {"chat": Aim("daily", Decimal("0.5"), None)}
    set_plan(pilot=pilot, aims=aims, fields={}, now=NOON, actor=actor)
    moved = {name: getattr(pilot, name) for name in BASICS} | {"ends_on": date(2026, 12, 6)}
    change_basics(pilot=pilot, now=NOON, actor=actor, **moved)

    assert [(each.actor, each.what) for each in changes_after_start(pilot)] == [
        ("Ada", [("chat margin", "0.3", "0.5")]),
        ("Ada", [("last day", "2026-11-29", "2026-12-06")]),
    ]
    assert list(PilotEvent.objects.order_by("id").values_list("text", "is_automatic")) == [
        ("Changed after the start: chat margin 0.3 → 0.5", True),
        ("Changed after the start: last day 2026-11-29 → 2026-12-06", True),
    ]


@pytest.mark.parametrize(
    ("aims", "fields", "problem"),
    [
        ({"completion": Aim("daily", Decimal(1), None)}, {}, MeasureDoesNotFit),
        ({"chat": Aim("acceptance", Decimal(1), None)}, {}, MeasureDoesNotFit),
        ({}, {"decide_by": date(2026, 11, 30)}, DecidesOutside),
    ],
)
def test_plan_that_cannot_be_is_refused_whole(aims, fields, problem):
    pilot = draft()

    with pytest.raises(problem):
        set_plan(pilot=pilot, aims=aims, fields=fields, now=NOON)

    assert Plan.objects.get().decide_by == date(2026, 12, 28)


def test_privacy_is_stored():
    pilot = draft()

    choose_privacy(pilot=pilot, now=NOON, **PRIVACY)

    assert Pilot.objects.values(*PRIVACY).get() == PRIVACY
    assert audited()[-1][0] == "pilot changed"


def test_names_stay_hidden_once_somebody_takes_part():
    pilot = draft()
    make_enrollment(pilot)

    with pytest.raises(NamesWereToStayHidden):
        choose_privacy(pilot=pilot, now=NOON, **PRIVACY | {"people_named": True})


@pytest.mark.parametrize(
    "change",
    [
        lambda pilot: change_basics(pilot=pilot, now=NOON, **BASICS),
        lambda pilot: set_plan(pilot=pilot, aims={}, fields={}, now=NOON),
        lambda pilot: choose_privacy(pilot=pilot, now=NOON, **PRIVACY),
    ],
)
def test_closed_pilot_keeps_its_plan(change):
    pilot = make_pilot()
    Pilot.objects.update(closed_at=NOON)

    with pytest.raises(PilotClosed):
        change(pilot)
