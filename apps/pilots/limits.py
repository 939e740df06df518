"""Changes of what a pilot may use. Each is one transaction, audited, and republishes the routes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.money import MONEY_STEP
from apps.gateway.contract import UNLESS_SET
from apps.pilots.models import Enrollment, Key, Limit, LimitPeriod, LimitScope, Pilot
from apps.pilots.trail import note, open_pilot


class LimitsNothing(Exception):
    """A limit says at least one of requests, tokens, calls at once and money."""


class NotOfThisPilot(Exception):
    """The key, person or candidate does not take part in the pilot."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may be used; None is without limit. Money in USD, counted over `period`."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    at_once: int | None = None
    usd: Decimal | None = None
    period: str = LimitPeriod.MONTH
    is_hard: bool = True

    @property
    def says_nothing(self) -> bool:
        amounts = (self.requests_per_minute, self.tokens_per_minute, self.at_once, self.usd)
        return all(amount is None for amount in amounts)


@transaction.atomic
def set_limit(
    *,
    pilot: Pilot,
    scope: str,
    allowance: Allowance,
    now: datetime,
    subject: Key | Enrollment | Candidate | None = None,
    actor: Person | None = None,
) -> Limit:
    """Limit one key, person (by enrollment) or candidate, or each of them without a subject.

    What stood there before is replaced as a whole.
    Raises LimitsNothing, NotOfThisPilot, pilots.trail.PilotClosed.
    """
    if allowance.says_nothing:
        raise LimitsNothing
    locked = open_pilot(pilot)
    whose = _whose(locked, scope, subject)
    limit = Limit.objects.filter(pilot=locked, scope=scope, **whose).first()
    before = _told(limit) if limit is not None else {}
    if limit is None:
        limit = Limit(pilot=locked, scope=scope, created_at=now, **whose)
    limit.requests_per_minute = allowance.requests_per_minute
    limit.tokens_per_minute = allowance.tokens_per_minute
    limit.at_once = allowance.at_once
    limit.usd = None if allowance.usd is None else allowance.usd.quantize(MONEY_STEP)
    limit.period, limit.is_hard = allowance.period, allowance.is_hard
    limit.changed_at = now
    told = _told(limit)
    if before == told:
        return limit
    if before.get("period") != told.get("period"):
        limit.money_since = None if limit.usd is None else now
        _count_others_anew(locked, scope, now)
    limit.save()
    note(locked, "limit set", actor, now, {"for": _name(scope, subject)} | told)
    return limit


@transaction.atomic
def remove_limit(*, limit: Limit, now: datetime, actor: Person | None = None) -> None:
    """Take a limit away; a second time changes nothing. Raises pilots.trail.PilotClosed."""
    locked = open_pilot(limit.pilot)
    if not Limit.objects.filter(id=limit.id).delete()[0]:
        return
    if limit.usd is not None:
        _count_others_anew(locked, limit.scope, now)
    subject = limit.key or limit.enrollment or limit.candidate
    note(locked, "limit removed", actor, now, {"for": _name(limit.scope, subject)})


def limit_each_key(pilot: Pilot, *, now: datetime) -> None:
    """Give a new pilot the limit that every pilot begins with.

    Migration 0003 gave pilots that were there before the same.
    """
    Limit.objects.create(
        pilot=pilot,
        scope=LimitScope.KEY,
        requests_per_minute=UNLESS_SET.requests_per_minute,
        tokens_per_minute=UNLESS_SET.tokens_per_minute,
        at_once=UNLESS_SET.at_once,
        created_at=now,
        changed_at=now,
    )


def _whose(
    pilot: Pilot, scope: str, subject: Key | Enrollment | Candidate | None
) -> dict[str, Key | Enrollment | Candidate | None]:
    """Return the columns that say whose the limit is, as a filter and as values."""
    whose: dict[str, Key | Enrollment | Candidate | None]
    whose = {"key": None, "enrollment": None, "candidate": None}
    match scope, subject:
        case _, None:
            pass
        case LimitScope.KEY, Key() if subject.enrollment.pilot_id == pilot.id:
            whose["key"] = subject
        case LimitScope.PERSON, Enrollment() if subject.pilot_id == pilot.id:
            whose["enrollment"] = subject
        case LimitScope.CANDIDATE, Candidate() if pilot.trials.filter(candidate=subject).exists():
            whose["candidate"] = subject
        case _:
            raise NotOfThisPilot(f"{scope} {subject}")
    return whose


def _count_others_anew(pilot: Pilot, scope: str, now: datetime) -> None:
    """Have money counted anew by what holds where a limit of one's own does not: the general one,
    or the budget. It was not counted there for whoever had a limit of their own."""
    general = Limit.objects.filter(
        pilot=pilot, scope=scope, key=None, enrollment=None, candidate=None, usd__isnull=False
    )
    general.update(money_since=now)
    if scope == LimitScope.PILOT:
        Pilot.objects.filter(id=pilot.id).update(budget_since=now)


def _name(scope: str, subject: Key | Enrollment | Candidate | None) -> str:
    match subject:
        case Key():
            return f"key {subject.hint}"
        case Enrollment():
            return f"person {subject.person}"
        case Candidate():
            return f"candidate {subject.slug}"
    return "the pilot" if scope == LimitScope.PILOT else f"each {scope}"


def _told(limit: Limit) -> dict[str, object]:
    """Return what a limit says, without what it leaves open."""
    told: dict[str, object] = {
        "requests_per_minute": limit.requests_per_minute,
        "tokens_per_minute": limit.tokens_per_minute,
        "at_once": limit.at_once,
    }
    if limit.usd is not None:
        told |= {"usd": limit.usd, "period": limit.period, "is_hard": limit.is_hard}
    return {name: value for name, value in told.items() if value is not None}
