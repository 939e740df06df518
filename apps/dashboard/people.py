"""The People page: how far everybody came. Names only where the pilot has said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import LEADS, allow
from apps.accounts.queries import name_of
from apps.core.pages import render_page
from apps.core.period_picker import PeriodChoice
from apps.core.periods import day_of
from apps.feedback.pulse import pulse_by_week, questions
from apps.metrics.queries import site_zone, usage_by_person
from apps.metrics.queries_people import adoption, last_days
from apps.metrics.readers import lead_of
from apps.metrics.sums import UsageSums
from apps.pilots.models import Enrollment, KeyKind, Pilot
from apps.pilots.queries import pilot_or_404

QUIET_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the way, from invited to rating. `count` is None where the group is too small."""

    label: str
    count: int | None
    note: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of a pilot that names people."""

    name: str
    pseudonym: str
    state: str
    kind: str
    last_day: date | None
    usage: UsageSums

    @property
    def cost_usd(self) -> Decimal:
        """What was paid per token, and for the machines' time that the calls took."""
        return self.usage.token_usd + self.usage.hosting_usd


@dataclass(frozen=True, slots=True)
class PulseLine:
    """One question of the weekly pulse: means of 1 to 5 by week, None of too few people."""

    text: str
    trend: list[float | None]
    latest: float | None
    people: int
    week: date


@require_safe
@allow(LEADS)
def people(request: HttpRequest, slug: str) -> HttpResponse:
    """Who takes part, how far they came, and what they called in the period."""
    pilot, now = pilot_or_404(request, slug), timezone.now()
    choice = PeriodChoice(request.GET, pilot.period, pilot.zone_info, now)
    context: dict[str, Any] = {"pilot": pilot, "choice": choice, "stages": stages(pilot, now)}
    context["pulse"] = pulse_lines(pilot)
    if pilot.people_named:
        used = usage_by_person(pilot.id, choice.period)
        context["rows"] = person_rows(pilot, used, now)
    return render_page(
        request,
        "dashboard/people.html",
        context,
        fragment="dashboard/_people.html",
        zone=pilot.zone_info,
    )


def stages(pilot: Pilot, now: datetime) -> list[Stage]:
    """Return how many people came how far; small groups are left out where nobody is named."""
    reader = lead_of(pilot)
    found = adoption(pilot.id, active_since=day_of(now - QUIET_AFTER, site_zone()))

    def shown(count: int) -> int | None:
        return None if reader.counts_few(count) else count

    return [
        Stage("Invited", shown(found.invited), "enrolled in this pilot"),
        Stage("Made a key", shown(found.made_key), "can call"),
        Stage("First call", shown(found.called), "finished at least one call"),
        Stage("Active this week", shown(found.active), "finished a call in the last seven days"),
        Stage("Rated", shown(found.rated), "rated at least one answer"),
    ]


def pulse_lines(pilot: Pilot) -> list[PulseLine]:
    """Return what people said of their weeks, a line for each question; none before five did."""
    weeks = pulse_by_week(pilot)
    if not weeks:
        return []
    return [
        PulseLine(
            question.text,
            [week.means[question.topic] for week in weeks],
            weeks[-1].means[question.topic],
            weeks[-1].people,
            weeks[-1].week,
        )
        for question in questions(pilot)
    ]


def person_rows(pilot: Pilot, used: Mapping[int, UsageSums], now: datetime) -> list[PersonRow]:
    """Return everybody, the most active first."""
    last = last_days(pilot.id)
    today = day_of(now, site_zone())
    enrollments = (
        Enrollment.objects.filter(pilot=pilot)
        .select_related("person__user")
        .annotate(key_count=Count("keys", filter=Q(keys__kind=KeyKind.DEVELOPER)))
        .order_by("id")
    )
    rows = [
        _person_row(
            enrollment,
            enrollment.key_count,
            used.get(enrollment.person_id, UsageSums()),
            last.get(enrollment.person_id),
            today,
        )
        for enrollment in enrollments
    ]
    return sorted(rows, key=lambda row: (-row.usage.calls, row.name.lower()))


def _person_row(
    enrollment: Enrollment, keys: int, usage: UsageSums, last: date | None, today: date
) -> PersonRow:
    has_user = hasattr(enrollment.person, "user")
    if enrollment.left_at is not None:
        state, kind = "Left", "quiet"
    elif last is not None:
        is_quiet = today - last > QUIET_AFTER
        state, kind = ("Gone quiet", "warn") if is_quiet else ("Active", "good")
    elif keys:
        state, kind = "Has a key, no call yet", "info"
    else:
        state, kind = ("Signed up, no key yet" if has_user else "Invited"), "quiet"
    name = name_of(enrollment.person)
    return PersonRow(name, enrollment.person.pseudonym, state, kind, last, usage)
