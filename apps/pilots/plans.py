"""What is set before a pilot begins, so that its end is an answer.

Each is one transaction and audited. What is changed of a plan after the start is said to be that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from apps.accounts.models import Person
from apps.pilots.actions import NamesWereToStayHidden, change_pilot, create_pilot
from apps.pilots.arms import move_first_turns, turns_begun
from apps.pilots.last_day import follow_last_day
from apps.pilots.models import Goal, Pilot, Plan
from apps.pilots.plan_defaults import FIRST_CONTENT_MS, MEASURES, UPKEEP_HOURS
from apps.pilots.plan_queries import candidates_to_plan, goals_of, plan_of
from apps.pilots.plan_trail import note_plan, plain
from apps.pilots.serving import proposed_services, put_on_trial, set_goal
from apps.pilots.trail import note, open_pilot

# What fields of a plan are called where their changes are read.
WORDS: Final = {
    "residence_most": "code may go as far as",
    "first_content_ms_most": "answers begin within ms",
    "memory_gb": "memory in GB",
    "usd_per_year_most": "USD a year at most",
    "failed_share_most": "share of calls that may fail",
    "upkeep_hours_week_most": "hours of upkeep a week",
    "calls_per_day": "calls assumed a day",
    "prompt_tokens_per_day": "tokens sent a day",
    "completion_tokens_per_day": "tokens received a day",
}


class DecidesOutside(Exception):
    """The decision falls before the pilot's first day."""


class ZoneStands(Exception):
    """Working days are counted in the zone, and turns have begun."""


class FirstDayStands(Exception):
    """Turns have begun, so the first day is over or today."""


class MeasureDoesNotFit(Exception):
    """The role is not judged by this measure."""


@dataclass(frozen=True, slots=True)
class Aim:
    """How a role is judged. `margin` and `least` are as stored: shares of 1, or points of five."""

    measure: str
    margin: Decimal
    least: Decimal | None


@transaction.atomic
def draft_pilot(
    *,
    slug: str,
    name: str,
    starts_on: date,
    ends_on: date,
    zone: str,
    budget_usd: Decimal | None,
    now: datetime,
    actor: Person | None = None,
) -> Pilot:
    """Make a draft with a plan that has a default for everything.

    Raises what create_pilot raises.
    """
    pilot = create_pilot(
        slug=slug,
        name=name,
        starts_on=starts_on,
        ends_on=ends_on,
        zone=zone,
        budget_usd=budget_usd,
        is_draft=True,
        now=now,
        actor=actor,
    )
    Plan.objects.create(
        pilot=pilot,
        decide_by=ends_on,
        first_content_ms_most=FIRST_CONTENT_MS,
        upkeep_hours_week_most=UPKEEP_HOURS,
        changed_at=now,
    )
    services = proposed_services(candidates_to_plan(pilot))
    for role, service in services.items():
        set_goal(pilot, role, service)
    put_on_trial(pilot, services, now, actor)
    return pilot


@transaction.atomic
def change_basics(
    *,
    pilot: Pilot,
    name: str,
    starts_on: date,
    ends_on: date,
    zone: str,
    budget_usd: Decimal | None,
    now: datetime,
    actor: Person | None = None,
) -> Pilot:
    """Change name, days, zone and budget; a draft that decides on its last day goes on doing so.

    Raises EndsBeforeItStarts, UnknownZone, PilotClosed, DecidesOutside, ZoneStands,
    FirstDayStands, ClosesLater.
    """
    before = open_pilot(pilot)
    if turns_begun(before, now=now):
        # Whose turn a day was would change with them, and days that were measured with that.
        if zone != before.zone:
            raise ZoneStands(before.zone)
        if starts_on != before.starts_on:
            raise FirstDayStands(str(before.starts_on))
    changed = change_pilot(
        pilot=pilot,
        name=name,
        starts_on=starts_on,
        ends_on=ends_on,
        zone=zone,
        budget_usd=budget_usd,
        rating_scale=before.rating_scale,
        people_named=before.people_named,
        now=now,
        actor=actor,
    )
    plan = plan_of(before)
    if changed.is_draft and plan.decide_by == before.ends_on:
        Plan.objects.filter(pilot=pilot).update(decide_by=ends_on)
    elif plan.pk and plan.decide_by < starts_on:
        raise DecidesOutside(str(plan.decide_by))
    follow_last_day(before, changed, now=now, actor=actor)
    if not before.is_draft:
        move_first_turns(changed, now=now)
        days = {"first day": "starts_on", "last day": "ends_on"}
        told = {
            what: (getattr(before, field), getattr(changed, field)) for what, field in days.items()
        }
        note_plan(changed, told, now, actor)
    return changed


@transaction.atomic
def choose_privacy(
    *,
    pilot: Pilot,
    people_named: bool,
    rating_scale: str,
    daily_question: str,
    pulse_questions: Sequence[str],
    rating_tags: Sequence[str],
    widget_origins: Sequence[str],
    sample_share: Decimal,
    now: datetime,
    actor: Person | None = None,
) -> None:
    """Say who sees names, what is asked, and where the rating widget may stand.

    Raises PilotClosed, NamesWereToStayHidden.
    """
    locked = open_pilot(pilot)
    if people_named and not locked.people_named and locked.enrollments.exists():
        raise NamesWereToStayHidden(locked.slug)
    fields: dict[str, Any] = {
        "people_named": people_named,
        "rating_scale": rating_scale,
        "daily_question": daily_question,
        "pulse_questions": list(pulse_questions),
        "rating_tags": list(rating_tags),
        "widget_origins": list(widget_origins),
        "sample_share": sample_share,
    }
    changed = {
        field: [plain(getattr(locked, field)), plain(value)]
        for field, value in fields.items()
        if getattr(locked, field) != value
    }
    if not changed:
        return
    Pilot.objects.filter(id=locked.id).update(**fields)
    note(locked, "pilot changed", actor, now, changed)


@transaction.atomic
def set_plan(
    *,
    pilot: Pilot,
    aims: Mapping[str, Aim],
    fields: Mapping[str, Any],
    now: datetime,
    actor: Person | None = None,
) -> Plan:
    """Set how each role is judged, and any other fields of the plan.

    A role without a goal gets one. Raises PilotClosed, DecidesOutside, MeasureDoesNotFit.
    """
    locked = open_pilot(pilot)
    plan = plan_of(locked)
    told: dict[str, tuple[object, object]] = {
        WORDS.get(name, name.replace("_", " ")): (getattr(plan, name), value)
        for name, value in fields.items()
    }
    for name, value in fields.items():
        setattr(plan, name, value)
    if plan.decide_by < locked.starts_on:
        raise DecidesOutside(str(plan.decide_by))
    plan.changed_at = now
    plan.save()
    goals = {goal.role: goal for goal in goals_of(locked)}
    for role, aim in aims.items():
        if aim.measure not in MEASURES[role]:
            raise MeasureDoesNotFit(f"{role} by {aim.measure}")
        goal = goals.get(role) or Goal(pilot=locked, role=role, is_blind=False)
        for field in ("measure", "margin", "least"):
            before = getattr(goal, field) if goal.pk else None
            told[f"{role} {field}"] = (before, getattr(aim, field))
            setattr(goal, field, getattr(aim, field))
        goal.save()
    note_plan(locked, told, now, actor)
    return plan
