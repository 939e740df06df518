"""What a weekly summary says, in the words it says it in. No figure is about one person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Final

from django.conf import settings
from django.db.models import Q

from apps.catalog.models import Candidate
from apps.core.figures import MINUS, milliseconds, money, number, percent, percent_interval, points
from apps.core.figures import signed as signed_number
from apps.core.groups import LEAST_GROUP
from apps.core.periods import DAY, Period
from apps.digest.weeks import WEEK, days_in_words, week_period
from apps.metrics.limit_use import used_up
from apps.metrics.quality import qualities
from apps.metrics.queries import figures_by_candidate
from apps.metrics.readers import Reader, lead_of
from apps.metrics.results import findings_of
from apps.metrics.sums import Figures, UsageSums
from apps.pilots.models import Pilot

NO_RATINGS: Final = "no ratings"
NO_CALLS: Final = "no calls"
UNKNOWN_COST: Final = "no price"
FEW_PEOPLE: Final = f"fewer than {LEAST_GROUP} people"
FEW_RATERS: Final = f"fewer than {LEAST_GROUP} raters"
NO_DATA: Final = "–"


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of the whole pilot; `change` is empty where there is nothing to compare with."""

    label: str
    value: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One candidate. `liked_detail` is the interval and the number of ratings."""

    name: str
    position: int
    calls: str
    spend: str
    first_token: str
    first_token_change: str
    liked: str
    liked_detail: str
    liked_change: str


@dataclass(frozen=True, slots=True)
class Summary:
    """One pilot's week. `quality` is what was found out, role by role, over the whole pilot.

    `notes` say what the figures leave out.
    """

    pilot: str
    days: str
    quality: list[str]
    totals: list[Total]
    candidates: list[CandidateLine]
    notes: list[str]
    compares: bool
    url: str

    @property
    def headline(self) -> str:
        calls, _, spend = self.totals
        return f"{calls.value} calls, {spend.value}" if calls.value != FEW_PEOPLE else spend.value


def weekly_summary(pilot: Pilot, week: date) -> Summary:
    """Return a pilot's week, compared with the week before if the pilot was on in it."""
    zone = pilot.zone_info
    period, earlier = week_period(week, zone), week_period(week - WEEK, zone)
    compares = was_on(pilot, earlier)
    figures = figures_by_candidate(pilot.id, period)
    before = figures_by_candidate(pilot.id, earlier) if compares else {}
    empty, reader = Figures(), lead_of(pilot)
    seen, seen_before = reader.each(figures), reader.each(before)
    return Summary(
        pilot=" ".join(pilot.name.split()),
        days=days_in_words(week),
        quality=_quality(pilot, reader),
        totals=_totals(reader, list(figures.values()), list(before.values()), compares=compares),
        candidates=[
            _line(each, seen.get(each.id, empty), seen_before.get(each.id, empty))
            for each in _candidates(pilot, period, figures)
        ],
        # As it stood when the week ended.
        notes=used_up(pilot, reader=reader, now=period.end - timedelta(milliseconds=1))
        + _notes(pilot, period, earlier if compares else None)
        + _left_out(reader, list(figures.values())),
        compares=compares,
        url=f"{settings.SITE_URL}/pilots/{pilot.slug}/?from={week}&to={week + 6 * DAY}",
    )


def _quality(pilot: Pilot, reader: Reader) -> list[str]:
    """Say what the primary measures have found so far; as frozen once the pilot has closed."""
    findings = findings_of(pilot)
    ids = {place.candidate_id for finding in findings for place in finding.places}
    found = qualities(findings, Candidate.objects.in_bulk(ids), reader=reader)
    return [f"{each.role}: {each.headline} {each.need}".strip() for each in found]


def was_on(pilot: Pilot, period: Period) -> bool:
    """Tell whether a pilot ran, or was closed, within a period."""
    return bool(period.clipped(pilot.period.start, pilot.period.end).length)


def _candidates(pilot: Pilot, period: Period, figures: dict[int, Figures]) -> list[Candidate]:
    """What was on trial in the period, and what was called in it, in order of registration."""
    on_trial = Q(trials__pilot=pilot, trials__added_at__lt=period.end) & (
        Q(trials__dropped_at__isnull=True) | Q(trials__dropped_at__gt=period.start)
    )
    found = Candidate.objects.filter(on_trial | Q(id__in=list(figures)))
    return list(found.order_by("position").distinct())


def _totals(
    reader: Reader, figures: Sequence[Figures], before: Sequence[Figures], *, compares: bool
) -> list[Total]:
    (calls, is_whole), (calls_before, was_whole) = _calls(reader, figures), _calls(reader, before)
    people, people_before = len(_usage(figures).people), len(_usage(before).people)
    hidden = [reader.counts_few(count) for count in (people, people_before)]
    spend, spend_before = _spend(figures), _spend(before)
    total = [
        Total(
            "Calls",
            FEW_PEOPLE if calls is None else number(calls),
            signed_number((calls or 0) - (calls_before or 0)) if is_whole and was_whole else "",
        ),
        Total(
            "Active developers",
            f"fewer than {LEAST_GROUP}" if hidden[0] else number(people),
            "" if any(hidden) else signed_number(people - people_before),
        ),
        Total("Spend", money(spend), _signed_money(spend - spend_before)),
    ]
    return total if compares else [Total(each.label, each.value) for each in total]


def _calls(reader: Reader, figures: Sequence[Figures]) -> tuple[int | None, bool]:
    """Return the calls that may be told together, None where few people made all of them, and
    whether these are all."""
    if reader.is_few(_usage(figures).callers):
        return None, False
    usage, is_whole = reader.together(figures)
    return usage.calls, is_whole


def _line(candidate: Candidate, now: Figures, before: Figures) -> CandidateLine:
    if now.is_hidden:
        name, nothing = " ".join(candidate.name.split()), NO_DATA
        return CandidateLine(
            name, candidate.position, FEW_PEOPLE, nothing, nothing, "", nothing, "", ""
        )
    usage, liked, liked_before = now.usage, now.usage.liked_interval, before.usage.liked_interval
    first, first_before = now.latency.first_ms(0.5), before.latency.first_ms(0.5)
    change = ""
    if liked is not None and liked_before is not None:
        change = points(liked.mid - liked_before.mid)
    detail = ""
    if liked is not None:
        ratings = f"{number(usage.rated)} rating{'' if usage.rated == 1 else 's'}"
        detail = f"{percent_interval(liked.low, liked.high)}%, {ratings}"
    cost = now.known_cost_usd
    no_ratings = FEW_RATERS if now.has_few_raters else NO_RATINGS
    return CandidateLine(
        name=" ".join(candidate.name.split()),
        position=candidate.position,
        calls=number(usage.calls) if usage.calls else NO_CALLS,
        spend=money(now.cost_usd) if cost is not None or not usage.calls else UNKNOWN_COST,
        first_token=milliseconds(first),
        first_token_change=_signed_ms(first, first_before),
        liked=percent(liked.mid, 0) if liked is not None else no_ratings,
        liked_detail=detail,
        liked_change=change,
    )


def _notes(pilot: Pilot, period: Period, earlier: Period | None) -> list[str]:
    notes = []
    for which, each in (("this week", period), ("the week before", earlier)):
        if each and (inside := each.clipped(pilot.period.start, pilot.period.end)) != each:
            days = max(1, round(inside.length / DAY)) if inside.length else 0
            notes.append(f"The pilot ran on {days} day{'' if days == 1 else 's'} of {which}.")
    return notes


def _left_out(reader: Reader, figures: Sequence[Figures]) -> list[str]:
    """Say what the sums leave out, without how much it is where few people made it."""
    notes = []
    calls, is_whole = _calls(reader, figures)
    if calls is not None and not is_whole:
        notes.append(f"Calls of candidates that {FEW_PEOPLE} called are in no number of calls.")
    if uncosted := _usage(figures).uncosted:
        words = "call without a price is" if uncosted == 1 else "calls without a price are"
        how_many = number(uncosted) if is_whole else "Some"
        words = words if is_whole else "calls without a price are"
        notes.append(f"{how_many} {words} missing from the spend.")
    return notes


def _usage(figures: Sequence[Figures]) -> UsageSums:
    return reduce(add, (each.usage for each in figures), UsageSums())


def _spend(figures: Sequence[Figures]) -> Decimal:
    return sum((each.cost_usd for each in figures), Decimal(0))


def _signed_money(difference: Decimal) -> str:
    if not difference:
        return "±$0"
    return f"{MINUS if difference < 0 else '+'}{money(abs(difference))}"


def _signed_ms(now: int | None, before: int | None) -> str:
    if now is None or before is None:
        return ""
    if now == before:
        return "±0 ms"
    return f"{MINUS if now < before else '+'}{milliseconds(abs(now - before))}"
