"""Gathers what the list of candidates and the page of one show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.catalog.models import Candidate, Residence
from apps.core.figures import money
from apps.core.period_picker import PeriodChoice
from apps.dashboard.decided import rate
from apps.dashboard.leaderboard import Row, leaderboard
from apps.dashboard.measured import Measured
from apps.dashboard.tiles import Tile, Trend, tiles_of
from apps.metrics.quality import RoleQuality
from apps.metrics.queries import figures_by_candidate, latency_by_task, usage_by_task
from apps.metrics.queries_days import CandidateDay, days_by_candidate
from apps.metrics.queries_prices import CostTerms, cost_terms
from apps.metrics.readers import Reader
from apps.metrics.sums import Figures, LatencySums
from apps.pilots.models import Pilot, Trial


@dataclass(frozen=True, slots=True)
class TaskRow(Measured):
    """One task's calls with a candidate."""

    task: str
    figures: Figures


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
    def shows_opinions(self) -> bool:
        """Whether enough people rated for single ratings and comments to be nobody's."""
        return not (self.row.figures.is_hidden or self.row.figures.has_few_raters)

    @property
    def has_hidden_days(self) -> bool:
        return any(day.figures.is_hidden for day in self.days)

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
    pilot: Pilot,
    choice: PeriodChoice,
    trials: Sequence[Trial],
    *,
    reader: Reader,
    role: RoleQuality | None = None,
    likes_rank: bool = True,
) -> list[ListedCandidate]:
    """Return every candidate that is or was on trial, in their order of registration."""
    by_id = _trials_by_candidate(trials)
    candidates = [own[0].candidate for own in by_id.values()]
    figures = figures_by_candidate(pilot.id, choice.period)
    days = days_by_candidate(pilot.id, choice.period, pilot.zone_info)
    terms = cost_terms(by_id)
    calls = reader.together(figures.values())[0].calls
    rows = leaderboard(candidates, figures, reader=reader, role=role, likes_rank=likes_rank)
    shown = {row.candidate.id: _shown_days(days, row, choice) for row in rows}
    return [
        ListedCandidate(
            row=row,
            aliases=[trial.alias for trial in by_id[row.candidate.id]],
            is_on_trial=_is_on_trial(by_id[row.candidate.id]),
            residence=Residence(row.candidate.provider.residence).label.partition(":")[0],
            terms=terms[row.candidate.id],
            cost_terms=terms_in_words(terms[row.candidate.id]),
            share_of_calls=_share(row, calls),
            calls_trend=[
                None if day.figures.is_hidden else day.figures.usage.calls
                for day in shown[row.candidate.id]
            ],
            first_trend=[day.figures.latency.first_ms(0.5) for day in shown[row.candidate.id]],
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


def _share(row: Row, calls: int) -> float | None:
    return row.figures.usage.calls / calls if calls and not row.figures.is_hidden else None


def _shown_days(
    days: Mapping[int, list[CandidateDay]], row: Row, choice: PeriodChoice
) -> list[CandidateDay]:
    """Return a candidate's days up to today; none where even all of them may not be seen.

    An empty day among hidden ones would tell that these few people were away.
    """
    if row.figures.is_hidden:
        return []
    own = {day.day: day.figures for day in days.get(row.candidate.id, [])}
    seen = row.reader.parts(own)
    return [CandidateDay(day, figures) for day, figures in seen.items() if day <= choice.today]


def candidate_page(
    pilot: Pilot,
    choice: PeriodChoice,
    trials: Sequence[Trial],
    candidate: Candidate,
    *,
    reader: Reader,
    role: RoleQuality | None = None,
    likes_rank: bool = True,
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
    rows = leaderboard(candidates, figures, before, reader=reader, role=role, likes_rank=likes_rank)
    row = next(row for row in rows if row.candidate.id == candidate.id)
    all_days = days_by_candidate(
        pilot.id, choice.period, pilot.zone_info, candidate_id=candidate.id
    )
    days = _shown_days(all_days, row, choice)
    return CandidatePage(
        row=row,
        aliases=[trial.alias for trial in by_id[candidate.id]],
        is_on_trial=_is_on_trial(by_id[candidate.id]),
        days=days,
        tiles=tiles_of(row, days),
        tasks=task_rows(pilot, choice, row),
        terms=cost_terms([candidate.id])[candidate.id],
    )


def task_rows(pilot: Pilot, choice: PeriodChoice, row: Row) -> list[TaskRow]:
    """Return a candidate's tasks, the most used first; none where their sum may not be seen.

    Idle machines belong to none of them.
    """
    usage = usage_by_task(pilot.id, choice.period, candidate_id=row.candidate.id)
    latency = latency_by_task(pilot.id, choice.period, candidate_id=row.candidate.id)
    if row.figures.is_hidden:
        return []
    empty = Figures().latency
    found = {
        task: Figures(sums, latency=latency.get(task, empty), task_only=True)
        for task, sums in usage.items()
    }
    rows = [TaskRow(task, figures) for task, figures in row.reader.parts(found).items()]
    return sorted(rows, key=lambda row: (-row.figures.usage.calls, row.task))


def percentiles_of(latency: LatencySums) -> list[Percentile]:
    return [
        Percentile(f"{share:.0%}", latency.first_ms(share), latency.total_ms(share))
        for share in (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
    ]
