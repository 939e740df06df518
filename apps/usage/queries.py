"""Reads of calls: one page of a list at a time, and one call."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import Person
from apps.accounts.queries import name_of
from apps.catalog.models import Candidate, HostingInterval, Price
from apps.core.periods import Period
from apps.core.uuid7 import instant_of
from apps.pilots.blindness import blind_aliases
from apps.pilots.models import Pilot
from apps.usage.models import Call
from apps.usage.veil import veiled

PAGE: Final = 50
FAILED: Final = "failed"
OUTCOMES: Final = {
    "ok": ("Answered", "good"),
    "client_cancelled": ("Left early", "quiet"),
    "upstream_error": ("Provider failed", "bad"),
    "upstream_timeout": ("Provider silent", "bad"),
    "stream_broken": ("Broke off", "bad"),
    "crashed_unknown": ("Lost in a crash", "warn"),
}
ONLY: Final = {
    "rateable": "that can be rated",
    "estimated": "with estimated tokens",
    "uncosted": "without a price",
}
# These sort calls by who answered, so that blind ones are never among what they leave.
_TELLING: Final = ("estimated", "uncosted")
MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What a list of calls is narrowed to. None and the empty text mean all.

    `outcome` may be FAILED, for what is neither answered nor left; `only` is a key of ONLY.
    """

    period: Period
    candidate_id: int | None = None
    person_id: int | None = None
    task: str = ""
    outcome: str = ""
    only: str = ""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as a list shows it. `is_hosted` says that its machine is paid by the hour.

    `candidate` is who answered, or was tried last; `stood_in_for` who was asked, where it was
    another one. Of a blind call both are None, and `call` has the veil on.
    """

    call: Call
    candidate: Candidate | None
    person: str
    is_hosted: bool
    stood_in_for: Candidate | None = None

    @property
    def outcome_label(self) -> str:
        return OUTCOMES[self.call.outcome][0]

    @property
    def outcome_kind(self) -> str:
        return OUTCOMES[self.call.outcome][1]

    @property
    def note(self) -> str:
        return f"in place of {self.stood_in_for.name}" if self.stood_in_for else ""

    @property
    def is_blind(self) -> bool:
        return self.candidate is None

    @property
    def is_estimated(self) -> bool:
        return self.call.usage_source == "estimated"

    @property
    def is_uncosted(self) -> bool:
        """Nobody knows at what price: never the same as free."""
        return self.call.cost_usd is None and not self.is_hosted and not self.is_blind

    @property
    def tokens_per_s(self) -> Decimal | None:
        """Tokens made per second from the first content to the end."""
        first, total = self.call.first_content_ms, self.call.total_ms
        made = self.call.completion_tokens
        if not self.call.streamed or not made or first is None or total is None or total <= first:
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
    Fewer newer ones than a page are given as the first page, so that it is always full.
    """
    blind = blind_aliases(pilot)
    calls = _narrowed(pilot, narrowed, blind)
    if after is not None:
        newer = calls.filter(_newer_than(pilot, after)).order_by("admitted_at", "id")
        found = list(newer[: size + 1])
        if len(found) > size:
            rows = _rows(found[:size][::-1], blind, with_names=with_names)
            return _page(rows, newer=True, older=True)
    elif before is not None:
        calls = calls.filter(_older_than(pilot, before))
    found = list(calls.order_by("-admitted_at", "-id")[: size + 1])
    rows = _rows(found[:size], blind, with_names=with_names)
    return _page(rows, newer=before is not None, older=len(found) > size)


def newest_calls(
    pilot: Pilot, narrowed: CallFilter, *, with_names: bool, limit: int
) -> list[CallRow]:
    """Return as many of the newest calls, for an export."""
    blind = blind_aliases(pilot)
    calls = _narrowed(pilot, narrowed, blind).order_by("-admitted_at", "-id")
    return _rows(list(calls[:limit]), blind, with_names=with_names)


def one_call(pilot: Pilot, call_id: UUID, *, with_names: bool) -> CallRow | None:
    """Return a call of a pilot, or None."""
    call = _at(pilot, call_id).exclude(source="probe").first()
    return _rows([call], blind_aliases(pilot), with_names=with_names)[0] if call else None


def price_of(call: Call) -> Price | None:
    """Return the price that a call was costed with."""
    return Price.objects.filter(id=call.price_id).first() if call.price_id else None


def latest_call(pilot: Pilot, person: Person) -> Call | None:
    """Return the newest call that a person's own tools made through the gateway."""
    calls = Call.objects.filter(pilot_id=pilot.id, person_id=person.id, source="gateway")
    return calls.order_by("-admitted_at", "-id").first()


def _narrowed(pilot: Pilot, narrowed: CallFilter, blind: Set[str]) -> QuerySet[Call]:
    period = narrowed.period
    calls = Call.objects.filter(
        pilot_id=pilot.id, admitted_at__gte=period.start, admitted_at__lt=period.end
    ).exclude(source="probe")
    exact = {"candidate_id": narrowed.candidate_id, "person_id": narrowed.person_id}
    calls = calls.filter(**{name: value for name, value in exact.items() if value is not None})
    if narrowed.candidate_id is not None or narrowed.only in _TELLING:
        calls = calls.exclude(alias__in=blind)
    if narrowed.task:
        calls = calls.filter(task=narrowed.task)
    if narrowed.outcome == FAILED:
        calls = calls.exclude(outcome__in=["ok", "client_cancelled"])
    elif narrowed.outcome:
        calls = calls.filter(outcome=narrowed.outcome)
    return calls.filter(_only(narrowed.only))


def _only(only: str) -> Q:
    if only == "rateable":
        return Q(rateable=True)
    if only == "estimated":
        return Q(usage_source="estimated")
    if only == "uncosted":
        hosted = HostingInterval.objects.filter(
            Q(ended_at__isnull=True) | Q(ended_at__gt=OuterRef("admitted_at")),
            candidate_id=OuterRef("candidate_id"),
            started_at__lte=OuterRef("admitted_at"),
        )
        return Q(~Exists(hosted), cost_usd__isnull=True)
    return Q()


def _at(pilot: Pilot, call_id: UUID) -> QuerySet[Call]:
    """The id's time, to the millisecond, says which partition holds the call."""
    at = instant_of(call_id)
    return Call.objects.filter(
        pilot_id=pilot.id, admitted_at__gte=at, admitted_at__lt=at + MILLISECOND, id=call_id
    )


def _moment_of(pilot: Pilot, call_id: UUID) -> datetime:
    """To the microsecond where the call is still kept: ids of one millisecond are in no order."""
    found = _at(pilot, call_id).values_list("admitted_at", flat=True).first()
    return found or instant_of(call_id)


def _older_than(pilot: Pilot, call_id: UUID) -> Q:
    at = _moment_of(pilot, call_id)
    return Q(admitted_at__lte=at) & (Q(admitted_at__lt=at) | Q(id__lt=call_id))


def _newer_than(pilot: Pilot, call_id: UUID) -> Q:
    at = _moment_of(pilot, call_id)
    return Q(admitted_at__gte=at) & (Q(admitted_at__gt=at) | Q(id__gt=call_id))


def _page(rows: Sequence[CallRow], *, newer: bool, older: bool) -> CallPage:
    return CallPage(
        rows=rows,
        newer=rows[0].call.id if rows and newer else None,
        older=rows[-1].call.id if rows and older else None,
    )


def _rows(stored: Sequence[Call], blind: Set[str], *, with_names: bool) -> list[CallRow]:
    calls = [veiled(call) if call.alias in blind else call for call in stored]
    asked = {call.assigned_candidate_id for call in calls if call.assigned_candidate_id}
    candidates = Candidate.objects.select_related("provider").in_bulk(
        asked | {call.candidate_id for call in calls}
    )
    names = names_of({call.person_id for call in calls}) if with_names else {}
    hosting = _hosting({call.candidate_id for call in calls})
    return [
        CallRow(
            call=call,
            candidate=candidates[call.candidate_id] if call.candidate_id else None,
            person=names.get(call.person_id, ""),
            is_hosted=_is_hosted(hosting.get(call.candidate_id, []), call.admitted_at),
            stood_in_for=candidates.get(call.assigned_candidate_id or 0),
        )
        for call in calls
    ]


def names_of(person_ids: set[int]) -> dict[int, str]:
    """Return people's names by their id."""
    people = Person.objects.filter(id__in=person_ids).select_related("user")
    return {person.id: name_of(person) for person in people}


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
