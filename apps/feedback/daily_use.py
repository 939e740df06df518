"""What people used on a working day, and which of it they are asked about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Count, Q, QuerySet

from apps.accounts.models import Person
from apps.core.periods import Period
from apps.feedback.days import day_period
from apps.feedback.models import DailyQuestion
from apps.pilots.models import Goal, Measure, Pilot, UseRole
from apps.pilots.turns import Turns
from apps.usage.models import Call

# Calls made for comparisons and probes say nothing of a day's work; local models are told apart.
SOURCES: Final = ("gateway", "imported")
FINISHED: Final = "ok"
SPOKEN: Final = (UseRole.CHAT, UseRole.EDIT, UseRole.AGENT)


@dataclass(frozen=True, slots=True)
class Used:
    """A role that a person used on a day. `candidate_id` is whom the day had assigned.

    Where nothing was blind it is the one that was called most.
    """

    role: str
    candidate_id: int
    is_blind: bool
    calls: int


def finished_calls(pilot: Pilot, period: Period, person: Person | None = None) -> QuerySet[Call]:
    """Return calls in which somebody was answered, in no order."""
    calls = Call.objects.filter(
        pilot_id=pilot.id,
        admitted_at__gte=period.start,
        admitted_at__lt=period.end,
        outcome=FINISHED,
        source__in=SOURCES,
    )
    return calls if person is None else calls.filter(person_id=person.id)


def used_on(
    pilot: Pilot, day: date, *, person: Person | None = None, turns: Turns | None = None
) -> dict[int, list[Used]]:
    """Return what was used on a working day, by person. One query, and those of Turns."""
    period = day_period(day, pilot.zone_info)
    rows = list(
        finished_calls(pilot, period, person)
        .values_list("person_id", "alias", "task")
        .annotate(calls=Count("id"))
        .order_by("person_id", "alias", "task")
    )
    if not rows:
        return {}
    turns = turns or Turns(pilot)
    found: dict[tuple[int, str], dict[tuple[bool, int], int]] = defaultdict(dict)
    for person_id, alias, task, calls in rows:
        turn = turns.turn(alias, person_id=person_id, at=period.start, task=task)
        if turn is not None and turn.role is not None:
            counts = found[person_id, turn.role]
            whose = turn.is_blind, turn.assigned_id
            counts[whose] = counts.get(whose, 0) + calls
    by_person: dict[int, list[Used]] = defaultdict(list)
    for (person_id, role), counts in found.items():
        by_person[person_id].append(_used(role, counts))
    return dict(by_person)


def _used(role: str, counts: Mapping[tuple[bool, int], int]) -> Used:
    # What chance assigned says more than what somebody chose, however seldom it was called.
    is_blind, candidate_id = min(counts, key=lambda whose: (not whose[0], -counts[whose], whose[1]))
    return Used(role, candidate_id, is_blind, sum(counts.values()))


class Asked:
    """Which of the roles used on a day a person is asked about. Two queries for a whole pilot."""

    def __init__(self, pilot: Pilot, person: Person | None = None) -> None:
        goals = dict(Goal.objects.filter(pilot=pilot).values_list("role", "measure"))
        self._daily = {role for role, measure in goals.items() if measure == Measure.DAILY}
        only_completion = set(goals) == {UseRole.COMPLETION}
        self._spoken = {UseRole.COMPLETION} if only_completion else set(SPOKEN)
        answers = DailyQuestion.objects.filter(_standing(), pilot_id=pilot.id)
        if person is not None:
            answers = answers.filter(person=person)
        counts = answers.values_list("person_id", "role").annotate(count=Count("id"))
        self._answers = {(who, role): count for who, role, count in counts.order_by()}

    def choose(self, person_id: int, used: Iterable[Used]) -> Used | None:
        """Return the role with the fewest answers so far; of equal ones the one used most.

        Roles whose goal is the daily question come first. None where there is nothing to ask.
        """
        asked = [each for each in used if each.role in self._daily | self._spoken]
        asked = [each for each in asked if each.role in self._daily] or asked
        return min(
            asked,
            key=lambda each: (self._answers.get((person_id, each.role), 0), -each.calls, each.role),
            default=None,
        )


def _standing() -> Q:
    return Q(score__isnull=False, withdrawn_at__isnull=True)


def to_ask(pilot: Pilot, day: date, *, person: Person) -> Used | None:
    """Return what a person would be asked about a working day; None where they used nothing."""
    used = used_on(pilot, day, person=person).get(person.id)
    return Asked(pilot, person).choose(person.id, used) if used else None


def has_used(pilot: Pilot, person: Person, *, since: datetime, until: datetime) -> bool:
    """Tell whether a person was answered at all in a span of time. One query."""
    return finished_calls(pilot, Period(since, until), person).exists()
