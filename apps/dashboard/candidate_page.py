"""Gathers what the list of candidates and the page of one show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.catalog.models import Candidate, Residence
from apps.core.figures import money, number, percent, percent_interval, seconds
from apps.core.period_picker import PeriodChoice
from apps.dashboard.decided import rate
from apps.dashboard.deltas import Delta
from apps.dashboard.leaderboard import Row, leaderboard
from apps.metrics.queries import figures_by_candidate, latency_by_task, usage_by_task
from apps.metrics.queries_days import CandidateDay, days_by_candidate
from apps.metrics.queries_prices import CostTerms, cost_terms
from apps.metrics.statistics import Interval
from apps.metrics.sums import Figures, LatencySums
from apps.pilots.models import Pilot, Trial

Trend = list[float | None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its interval or sample, how it moved, and its trend by day."""

    label: str
    value: str
    note: str
    help: str
    delta: Delta | None
    trend: Trend


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task's calls with a candidate."""

    task: str
    figures: Figures

    @property
    def liked(self) -> Interval | None:
        return self.figures.usage.liked_interval

    @property
    def first_p50(self) -> int | None:
        return self.figures.latency.first_ms(0.5)

    @property
    def first_p95(self) -> int | None:
        return self.figures.latency.first_ms(0.95)

    @property
    def total_p50(self) -> int | None:
        return self.figures.latency.total_ms(0.5)

    @property
    def total_p95(self) -> int | None:
        return self.figures.latency.total_ms(0.95)


@dataclass(frozen=True, slots=True)
class Percentile:
    """How long the calls take that a share of all are no slower than."""

    label: str
    first_ms: int | None
    total_ms: int | None


@dataclass(frozen=True, slots=True)
class CandidatePage:
    """Everything about one candidate in a period."""

    row: Row
    aliases: list[str]
    is_on_trial: bool
    days: list[CandidateDay]
    tiles: list[Tile]
    tasks: list[TaskRow]
    terms: CostTerms

    @property
    def candidate(self) -> Candidate:
        return self.row.candidate


@dataclass(frozen=True, slots=True)
class ListedCandidate:
    """One line of the list. `trend` is the share liked by day."""

    row: Row
    aliases: list[str]
    is_on_trial: bool
    residence: str
    terms: CostTerms
    cost_terms: str
    share_of_calls: float | None
    calls_trend: Trend
    first_trend: Trend


def terms_in_words(terms: CostTerms) -> str:
    """Write what a candidate costs now: $0.80 in · $0.80 out, or $1.79 an hour."""
    parts = []
    if terms.price is not None:
        price = terms.price
        parts.append(
            f"{money(price.input_usd_per_mtok)} in, {money(price.output_usd_per_mtok)} out"
        )
    if terms.machines is not None:
        parts.append(rate(terms.machines))
    elif terms.hosting:
        parts.append(f"{rate(terms.hosting[-1])}, off now")
    return " + ".join(parts) or "no price known"


def listed_candidates(
    pilot: Pilot, choice: PeriodChoice, trials: Sequence[Trial], *, hide_below: int
) -> list[ListedCandidate]:
    """Return every candidate that is or was on trial, in their order of registration."""
    by_id = _trials_by_candidate(trials)
    candidates = [own[0].candidate for own in by_id.values()]
    figures = figures_by_candidate(pilot.id, choice.period)
    days = days_by_candidate(pilot.id, choice.period, pilot.zone_info)
    terms = cost_terms(by_id)
    calls = sum(each.usage.calls for each in figures.values())
    rows = leaderboard(candidates, figures, hide_below=hide_below)
    return [
        ListedCandidate(
            row=row,
            aliases=[trial.alias for trial in by_id[row.candidate.id]],
            is_on_trial=_is_on_trial(by_id[row.candidate.id]),
            residence=Residence(row.candidate.provider.residence).label.partition(":")[0],
            terms=terms[row.candidate.id],
            cost_terms=terms_in_words(terms[row.candidate.id]),
            share_of_calls=row.figures.usage.calls / calls if calls else None,
            calls_trend=[day.figures.usage.calls for day in _up_to_today(days, row, choice)],
            first_trend=[
                day.figures.latency.first_ms(0.5) for day in _up_to_today(days, row, choice)
            ],
        )
        for row in sorted(rows, key=lambda row: row.candidate.position)
    ]


def _trials_by_candidate(trials: Sequence[Trial]) -> dict[int, list[Trial]]:
    by_id: dict[int, list[Trial]] = {}
    for trial in trials:
        by_id.setdefault(trial.candidate_id, []).append(trial)
    return by_id


def _is_on_trial(trials: Sequence[Trial]) -> bool:
    return any(trial.dropped_at is None for trial in trials)


def _up_to_today(
    days: Mapping[int, list[CandidateDay]], row: Row, choice: PeriodChoice
) -> list[CandidateDay]:
    return [day for day in days.get(row.candidate.id, []) if day.day <= choice.today]


def candidate_page(
    pilot: Pilot,
    choice: PeriodChoice,
    trials: Sequence[Trial],
    candidate: Candidate,
    *,
    hide_below: int,
) -> CandidatePage:
    """Return one candidate's figures, beside all others only for its rank."""
    by_id = _trials_by_candidate(trials)
    candidates = [own[0].candidate for own in by_id.values()]
    figures = figures_by_candidate(pilot.id, choice.period)
    before = (
        figures_by_candidate(pilot.id, choice.previous, candidate_id=candidate.id)
        if choice.previous
        else None
    )
    rows = leaderboard(candidates, figures, before, hide_below=hide_below)
    row = next(row for row in rows if row.candidate.id == candidate.id)
    all_days = days_by_candidate(
        pilot.id, choice.period, pilot.zone_info, candidate_id=candidate.id
    )
    days = _up_to_today(all_days, row, choice)
    return CandidatePage(
        row=row,
        aliases=[trial.alias for trial in by_id[candidate.id]],
        is_on_trial=_is_on_trial(by_id[candidate.id]),
        days=days,
        tiles=tiles_of(row, days),
        tasks=task_rows(pilot, choice, candidate),
        terms=cost_terms([candidate.id])[candidate.id],
    )


def task_rows(pilot: Pilot, choice: PeriodChoice, candidate: Candidate) -> list[TaskRow]:
    """Return the candidate's tasks, the most used first. Idle machines belong to none of them."""
    usage = usage_by_task(pilot.id, choice.period, candidate_id=candidate.id)
    latency = latency_by_task(pilot.id, choice.period, candidate_id=candidate.id)
    empty = Figures().latency
    rows = [
        TaskRow(task, Figures(sums, latency=latency.get(task, empty), task_only=True))
        for task, sums in usage.items()
    ]
    return sorted(rows, key=lambda row: (-row.figures.usage.calls, row.task))


def percentiles_of(latency: LatencySums) -> list[Percentile]:
    return [
        Percentile(f"{share:.0%}", latency.first_ms(share), latency.total_ms(share))
        for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
    ]


def tiles_of(row: Row, days: Sequence[CandidateDay]) -> list[Tile]:
    """Return the six figures that decide, each with its trend by day."""
    figures, usage = row.figures, row.figures.usage
    each = [day.figures for day in days]
    return [
        Tile(
            "Liked",
            percent(usage.liked_share),
            _liked_note(row),
            "Thumbs up, or four stars and more, of the answers that were rated.",
            row.liked_delta,
            [one.usage.liked_share for one in each],
        ),
        Tile(
            "Cost per liked answer",
            money(figures.cost_per_liked_usd),
            f"{money(figures.cost_per_answer_usd)} an answer",
            "What chat, edit and agent calls cost, idle machines included, over the answers that "
            "people like as often as they like the rated ones.",
            row.liked_cost_delta,
            [_float(one.cost_per_answer_usd) for one in each],
        ),
        Tile(
            "Cost per call",
            money(figures.cost_per_call_usd),
            _busy_note(figures),
            "Tokens and machines, idle ones included, over all calls.",
            row.call_cost_delta,
            [_float(one.cost_per_call_usd) for one in each],
        ),
        Tile(
            "First token, p50",
            seconds(row.first_p50),
            f"p95 {seconds(row.first_p95)}",
            "How long until the answer begins: half of the calls wait no longer than p50, 95 of "
            "100 no longer than p95. The change is that of p95.",
            row.first_delta,
            [one.latency.first_ms(0.5) for one in each],
        ),
        Tile(
            "Tokens per second",
            number(usage.tokens_per_s),
            "once an answer has begun",
            "Tokens written between the first and the last, over finished calls.",
            None,
            [one.usage.tokens_per_s for one in each],
        ),
        Tile(
            "Errors",
            percent(usage.error_share),
            f"{number(usage.failed)} of {number(usage.calls)} calls",
            "Calls that the provider refused, broke off or left without an answer.",
            row.error_delta,
            [one.usage.error_share for one in each],
        ),
    ]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _liked_note(row: Row) -> str:
    rated = number(row.figures.usage.rated)
    if row.liked is None:
        return f"about {row.ratings_missing} ratings are needed"
    bounds = percent_interval(row.liked.low, row.liked.high)
    more = f"; about {row.ratings_missing} more needed" if row.ratings_missing else ""
    return f"{bounds}, n {rated}{more}"


def _busy_note(figures: Figures) -> str:
    if figures.is_hosted:
        return f"{money(figures.busy_cost_per_call_usd)} without idle machines"
    return f"{money(figures.cost_per_mtok_usd)} per million tokens"
