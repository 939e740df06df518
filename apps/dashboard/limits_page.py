"""A pilot's limits for administrators: what holds for whom, and what of the money is used."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import ADMINS, allow, signed_in
from apps.gateway.contract import UNLESS_SET
from apps.metrics.limit_use import (
    Spent,
    budget_spent,
    money_words,
    present_period,
    spent_by_subject,
    subject_id,
)
from apps.metrics.readers import Reader, reader_of
from apps.pilots.models import Limit, LimitPeriod, LimitScope, Pilot
from apps.pilots.queries import Subject, limits_of, subject_words, subjects_to_limit, whose

TITLES: Final = {
    "key": ("Keys", "what one key may use"),
    "person": ("People", "what one person may use, with all their keys together"),
    "candidate": ("Candidates", "what may be used of one candidate, by all developers together"),
    "pilot": ("The whole pilot", "what all developers together may use"),
}
GENERAL: Final = {
    "key": "Each key",
    "person": "Each person",
    "candidate": "Each candidate",
    "pilot": "All together",
}
EXCEPT: Final = {
    "key": "unless it has one of its own",
    "person": "unless they have one of their own",
    "candidate": "unless it has one of its own",
    "pilot": "",
}
REFUSES: Final = "calls are refused"
TELLS: Final = "leads are told"


@dataclass(frozen=True, slots=True)
class Used:
    """What is spent of an amount; `kind` colors the bar."""

    spent_usd: Decimal
    usd: Decimal

    @property
    def kind(self) -> str:
        share = self.spent_usd / self.usd if self.usd else Decimal(1)
        return "bad" if share >= 1 else "warn" if share >= Decimal("0.8") else "good"


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of something; what a limit of one's own leaves open is the general one's."""

    value: int | None = None
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit. `subject` is empty for a general one; without an `id` nobody has set it."""

    name: str
    note: str = ""
    id: int | None = None
    subject: int | str = ""
    requests: Amount = Amount()
    tokens: Amount = Amount()
    at_once: Amount = Amount()
    money: str = ""
    is_own_money: bool = True
    then: str = ""
    used: Used | None = None
    used_words: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """All limits of one scope, the general one first, and whose limit may be set besides."""

    scope: str
    title: str
    note: str
    rows: list[LimitRow]
    others: list[tuple[int, str]]

    @property
    def has_general(self) -> bool:
        return any(row.id is not None and row.subject == "" for row in self.rows)


@require_safe
@allow(ADMINS)
def limits(request: HttpRequest, slug: str) -> HttpResponse:
    """For each scope the general limit, its exceptions, and what is used of the money."""
    pilot, now = get_object_or_404(Pilot, slug=slug), timezone.now()
    reader = reader_of(pilot, signed_in(request))
    context = {"edited": pilot, "sections": sections(pilot, reader=reader, now=now)}
    with timezone.override(pilot.zone_info):
        return render(request, "dashboard/limits.html", context)


def sections(pilot: Pilot, *, reader: Reader, now: datetime) -> list[Section]:
    """Return the limits by scope. People's money is shown only where the pilot names people."""

    @cache
    def spent(scope: str, period: str) -> Mapping[int, Spent]:
        return spent_by_subject(pilot, scope, present_period(pilot, period, now=now))

    by_scope: dict[str, list[Limit]] = {scope: [] for scope in LimitScope.values}
    for limit in limits_of(pilot):
        by_scope[limit.scope].append(limit)
    found = []
    for scope, own in by_scope.items():
        excepted = {subject_id(limit) for limit in own if limit.usd is not None}
        general = next((limit for limit in own if whose(limit) is None), None)
        rows = []
        for limit in own:
            paid = limit if limit.usd is not None else general
            sums = spent(scope, paid.period) if paid and paid.usd is not None else {}
            rows.append(_row(limit, general, sums, excepted, pilot, reader))
        rows = _unset(pilot, scope, own, now) + rows
        others = _others(subjects_to_limit(pilot, scope, now=now), own)
        found.append(Section(scope, *TITLES[scope], rows, others))
    return found


def _row(
    limit: Limit,
    general: Limit | None,
    found: Mapping[int, Spent],
    excepted: Collection[int | None],
    pilot: Pilot,
    reader: Reader,
) -> LimitRow:
    subject, paid = whose(limit), limit if limit.usd is not None else general
    used, words, money, then = None, "", "", ""
    if paid is not None and paid.usd is not None:
        money, then = money_words(paid.usd, paid.period), REFUSES if paid.is_hard else TELLS
        own = pilot.id if limit.scope == LimitScope.PILOT else subject_id(limit)
        if own is not None:
            used, words = _used(found.get(own), paid, reader)
        else:
            others = [spent for key, spent in found.items() if key not in excepted]
            words = _how_many(others, paid.usd, reader)
    return LimitRow(
        name=subject_words(subject) if subject else GENERAL[limit.scope],
        note="" if subject else EXCEPT[limit.scope],
        id=limit.id,
        subject=subject.id if subject else "",
        requests=_amount(limit, general, "requests_per_minute"),
        tokens=_amount(limit, general, "tokens_per_minute"),
        at_once=_amount(limit, general, "at_once"),
        money=money,
        is_own_money=paid is limit,
        then=then,
        used=used,
        used_words=words,
    )


def _amount(limit: Limit, general: Limit | None, name: str) -> Amount:
    own: int | None = getattr(limit, name)
    if own is not None or general is None or general is limit:
        return Amount(own)
    return Amount(getattr(general, name), is_own=False)


def _used(spent: Spent | None, limit: Limit, reader: Reader) -> tuple[Used | None, str]:
    assert limit.usd is not None
    spent = spent or Spent(Decimal(0), frozenset())
    # What all of the pilot cost is everybody's to know.
    if limit.scope != LimitScope.PILOT and reader.is_few(spent.callers):
        return None, "not shown of few people"
    if limit.scope in (LimitScope.KEY, LimitScope.PERSON) and reader.least:
        return None, "not shown of one person"
    return Used(spent.usd, limit.usd), ""


def _how_many(found: list[Spent], usd: Decimal, reader: Reader) -> str:
    over = [spent for spent in found if spent.usd >= usd]
    callers = frozenset[int]().union(*(spent.callers for spent in over))
    if reader.is_few(callers):
        return "not shown of few people"
    return f"used up by {len(over)} of {len(found)}" if over else "used up by nobody"


def _unset(pilot: Pilot, scope: str, own: list[Limit], now: datetime) -> list[LimitRow]:
    """Say what holds although nobody has set it here: the endpoint's own limit, and the budget."""
    general = next((limit for limit in own if whose(limit) is None), None)
    if scope == LimitScope.KEY and general is None:
        return [
            LimitRow(
                GENERAL[scope],
                "what the endpoint keeps to while nothing is set",
                requests=Amount(UNLESS_SET.requests_per_minute),
                tokens=Amount(UNLESS_SET.tokens_per_minute),
                at_once=Amount(UNLESS_SET.at_once),
            )
        ]
    has_money = general is not None and general.usd is not None
    if scope != LimitScope.PILOT or pilot.budget_usd is None or has_money:
        return []
    words = money_words(pilot.budget_usd, LimitPeriod.PILOT)
    spent = Used(budget_spent(pilot, now=now), pilot.budget_usd)
    return [
        LimitRow(
            "Budget",
            "of the pilot’s settings, machines included",
            money=words,
            then=TELLS,
            used=spent,
        )
    ]


def _others(subjects: list[Subject], own: list[Limit]) -> list[tuple[int, str]]:
    limited = {subject.id for limit in own if (subject := whose(limit)) is not None}
    return [(each.id, subject_words(each)) for each in subjects if each.id not in limited]
