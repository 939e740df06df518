"""Reads of calls: one page of a list at a time, and one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import Person
from apps.catalog.models import Candidate, HostingInterval
from apps.core.periods import Period
from apps.core.uuid7 import instant_of
from apps.pilots.models import Pilot
from apps.usage.models import Call

PAGE: Final = 50
OUTCOMES: Final = {
    "ok": ("Answered", "good"),
    "client_cancelled": ("Left early", "quiet"),
    "upstream_error": ("Provider failed", "bad"),
    "upstream_timeout": ("Provider silent", "bad"),
    "stream_broken": ("Broke off", "bad"),
    "crashed_unknown": ("Lost in a crash", "warn"),
}


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list of calls is narrowed to. None and the empty text mean all."""

    period: Period
    candidate_id: int | None = None
    person_id: int | None = None
    task: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as a list shows it. `hosted` says that its machine is paid by the hour."""

    call: Call
    candidate: Candidate
    person: str
    outcome_label: str
    outcome_kind: str
    hosted: bool

    @property
    def is_estimated(self) -> bool:
        return self.call.usage_source == "estimated"

    @property
    def is_uncosted(self) -> bool:
        """Answered, but nobody knows at what price: never the same as free."""
        has_tokens = self.call.outcome in ("ok", "client_cancelled", "stream_broken")
        return self.call.cost_usd is None and has_tokens and not self.hosted

    @property
    def tokens_per_s(self) -> Decimal | None:
        """Tokens made per second from the first content to the end."""
        first, total, made = (
            self.call.first_content_ms,
            self.call.total_ms,
            self.call.completion_tokens,
        )
        if first is None or total is None or made is None or total <= first:
            return None
        return Decimal(made * 1000) / (total - first)


@dataclass(frozen=True, slots=True)
class CallPage:
    """One page, newest first; `newer` and `older` are the ids that its neighbors start from."""

    rows: Sequence[CallRow]
    newer: UUID | None
    older: UUID | None


def calls_page(
    pilot: Pilot,
    narrowed: CallFilter,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    with_names: bool = False,
    size: int = PAGE,
) -> CallPage:
    """Return one page of a pilot's calls.

    `before` and `after` are ids: of the calls older, or newer, than that one the nearest are given.
    An id carries its time, so the key of the page is the id alone.
    """
    calls = _narrowed(pilot, narrowed)
    if after is not None:
        ascending = calls.filter(_newer_than(after)).order_by("admitted_at", "id")
        found = list(ascending[: size + 1])
        has_newer, has_older = len(found) > size, True
        found = found[:size][::-1]
    else:
        if before is not None:
            calls = calls.filter(_older_than(before))
        found = list(calls.order_by("-admitted_at", "-id")[: size + 1])
        has_newer, has_older = before is not None, len(found) > size
        found = found[:size]
    rows = _rows(found, with_names=with_names)
    return CallPage(
        rows=rows,
        newer=rows[0].call.id if rows and has_newer else None,
        older=rows[-1].call.id if rows and has_older else None,
    )


def one_call(pilot: Pilot, call_id: UUID, *, with_names: bool) -> CallRow | None:
    """Return a call of a pilot, or None. Its id says where in the table it is."""
    call = Call.objects.filter(
        pilot_id=pilot.id, admitted_at=instant_of(call_id), id=call_id
    ).first()
    return _rows([call], with_names=with_names)[0] if call else None


def tasks_of(pilot: Pilot) -> list[str]:
    """Return the tasks that a pilot's calls have had."""
    tasks = Call.objects.filter(pilot_id=pilot.id).order_by("task").values_list("task", flat=True)
    return list(tasks.distinct())


def has_called(pilot: Pilot, person: Person) -> bool:
    """Tell whether a call of this person has arrived in this pilot."""
    calls = Call.objects.filter(pilot_id=pilot.id, person_id=person.id)
    return calls.exclude(source="probe").exists()


def latest_call(pilot: Pilot, person: Person) -> Call | None:
    """Return a person's newest call in a pilot."""
    calls = Call.objects.filter(pilot_id=pilot.id, person_id=person.id).exclude(source="probe")
    return calls.order_by("-admitted_at", "-id").first()


def _narrowed(pilot: Pilot, narrowed: CallFilter) -> QuerySet[Call]:
    calls = Call.objects.filter(
        pilot_id=pilot.id,
        admitted_at__gte=narrowed.period.start,
        admitted_at__lt=narrowed.period.end,
    ).exclude(source="probe")
    exact = {
        "candidate_id": narrowed.candidate_id,
        "person_id": narrowed.person_id,
        "task": narrowed.task or None,
        "outcome": narrowed.outcome or None,
    }
    return calls.filter(**{name: value for name, value in exact.items() if value is not None})


def _older_than(call_id: UUID) -> Q:
    at = instant_of(call_id)
    return Q(admitted_at__lte=at) & (Q(admitted_at__lt=at) | Q(id__lt=call_id))


def _newer_than(call_id: UUID) -> Q:
    at = instant_of(call_id)
    return Q(admitted_at__gte=at) & (Q(admitted_at__gt=at) | Q(id__gt=call_id))


def _rows(calls: Sequence[Call], *, with_names: bool) -> list[CallRow]:
    candidates = Candidate.objects.select_related("provider").in_bulk(
        {call.candidate_id for call in calls}
    )
    names = _names({call.person_id for call in calls}) if with_names else {}
    hosting = _hosting(set(candidates))
    return [
        CallRow(
            call=call,
            candidate=candidates[call.candidate_id],
            person=names.get(call.person_id, ""),
            outcome_label=OUTCOMES[call.outcome][0],
            outcome_kind=OUTCOMES[call.outcome][1],
            hosted=_is_hosted(hosting.get(call.candidate_id, []), call.admitted_at),
        )
        for call in calls
    ]


def _names(person_ids: set[int]) -> dict[int, str]:
    people = Person.objects.filter(id__in=person_ids).select_related("user")
    return {person.id: name_of(person) for person in people}


def name_of(person: Person) -> str:
    """Return a person's name where they still have one, else the pseudonym."""
    user = getattr(person, "user", None)
    return (user.name or user.email) if user else person.pseudonym


def _hosting(candidate_ids: set[int]) -> Mapping[int, list[HostingInterval]]:
    intervals: dict[int, list[HostingInterval]] = {}
    for interval in HostingInterval.objects.filter(candidate_id__in=candidate_ids).order_by("id"):
        intervals.setdefault(interval.candidate_id, []).append(interval)
    return intervals


def _is_hosted(intervals: Sequence[HostingInterval], at: datetime) -> bool:
    return any(
        interval.started_at <= at and (interval.ended_at is None or at < interval.ended_at)
        for interval in intervals
    )
