"""Gathers what the overview of a pilot shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.http import QueryDict

from apps.catalog.models import Candidate
from apps.core.period_picker import Option, PeriodChoice
from apps.core.periods import DAY, Period, day_of, period_of_days
from apps.dashboard.decided import decided_moves
from apps.dashboard.leaderboard import (
    Row,
    Scale,
    Standing,
    leaderboard,
    scale_of,
    standing,
)
from apps.dashboard.moves import Move, biggest, candidate_moves, spending_move
from apps.dashboard.spending import Spending, spending
from apps.dashboard.verdicts import NOTHING_AGREED, Agreed, Verdict, verdicts
from apps.gateway.contract import TASKS
from apps.metrics.quality import RoleQuality
from apps.metrics.queries import generation_of, tasks_used, usage_by_candidate_and_task
from apps.metrics.queries_days import spending_by_candidate
from apps.metrics.queries_people import adoption
from apps.metrics.queries_prices import cost_terms
from apps.metrics.queries_windows import figures_of_windows
from apps.metrics.readers import Reader, hidden, without_ratings
from apps.metrics.sums import Figures
from apps.pilots.models import Pilot, Trial

WEEK_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the funnel. `count` is None where the group is too small to be told."""

    label: str
    count: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """How far people came, and what changed in the pilot's last seven days."""

    steps: list[Step]
    quiet: int
    moves: list[Move]
    compares: bool
    is_over: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the overview shows beside its charts."""

    rows: list[Row]
    scale: Scale
    standing: Standing
    verdicts: list[Verdict]
    spent: Spending
    tasks: list[Option]
    task: str
    figures_at: datetime | None
    weeks: list[dict[int, Figures]]
    reader: Reader
    role: RoleQuality | None
    roles: list[Option]
    agreed: Agreed

    @property
    def calls(self) -> int:
        return sum(row.figures.usage.calls for row in self.rows)

    @property
    def decide_by(self) -> str:
        """The day on which the pilot decides: as planned, or its last."""
        plan = self.agreed.plan
        return f"{plan.decide_by.day} {plan.decide_by:%B}" if plan else "the end"

    @property
    def baseline_name(self) -> str:
        return self.agreed.baseline or "what the team has now"

    @property
    def uncosted(self) -> list[Row]:
        return [row for row in self.rows if row.figures.usage.uncosted]

    @property
    def estimated_share(self) -> float | None:
        estimated = sum(row.figures.usage.estimated for row in self.rows)
        return estimated / self.calls if estimated else None


def chosen_task(params: QueryDict) -> str:
    """Return the task that a page is narrowed to; a wish that is none is not an error."""
    asked = params.get("task", "")
    return asked if asked in TASKS else ""


def task_options(pilot: Pilot, choice: PeriodChoice, task: str) -> list[Option]:
    """Return a link for each task that was used, and for all of them; none where there is one."""
    found = tasks_used(pilot.id)
    used = [each for each in TASKS if each in found]
    if len(used) < 2 and not task:
        return []
    every = Option("All tasks", choice.link("task", ""), not task)
    return [every, *(Option(each, choice.link("task", each), each == task) for each in used)]


def chosen_role(found: Sequence[RoleQuality], params: QueryDict) -> RoleQuality | None:
    """Return the role whose measure ranks: the one asked for, else the first with evidence."""
    asked = [each for each in found if each.finding.role == params.get("role", "")]
    known = [each for each in found if each.rows]
    return next(iter([*asked, *known, *found]), None)


def role_options(
    found: Sequence[RoleQuality], choice: PeriodChoice, role: RoleQuality | None
) -> list[Option]:
    """Return a link for each role that has a measure; none where there is one."""
    if len(found) < 2:
        return []
    return [
        Option(each.role, choice.link("role", each.finding.role), each is role) for each in found
    ]


def trials_ever(pilot: Pilot) -> list[Trial]:
    """Return everything that was on trial, dropped ones too: their calls still count."""
    trials = Trial.objects.filter(pilot=pilot).select_related("candidate__provider")
    return list(trials.order_by("candidate__position", "id"))


def candidates_of(trials: Sequence[Trial]) -> list[Candidate]:
    return list({trial.candidate_id: trial.candidate for trial in trials}.values())


def week_windows(pilot: Pilot, choice: PeriodChoice) -> tuple[Period, Period]:
    """Return the last seven days up to today, or to the pilot's end, and the seven before."""
    zone, first = pilot.zone_info, choice.today - (WEEK_DAYS - 1) * DAY
    week = period_of_days(first, choice.today, zone)
    return week, period_of_days(first - WEEK_DAYS * DAY, first - DAY, zone)


def overview_of(
    pilot: Pilot,
    choice: PeriodChoice,
    trials: Sequence[Trial],
    *,
    task: str,
    reader: Reader,
    now: datetime,
    with_week: bool = False,
    found: Sequence[RoleQuality] = (),
    role: RoleQuality | None = None,
    agreed: Agreed = NOTHING_AGREED,
) -> Overview:
    """Return the leaderboard of the chosen period, the verdicts, and on demand the week.

    `found` is what was found out about each role, of which `role` ranks the leaderboard.
    """
    candidates = candidates_of(trials)
    windows = [choice.period, *([choice.previous] if choice.previous else [])]
    weeks = list(week_windows(pilot, choice)) if with_week else []
    # The week is about all tasks: it can be read along only where the leaderboard is, too.
    figures = figures_of_windows(pilot.id, windows + ([] if task else weeks), task=task)
    if task and weeks:
        figures += figures_of_windows(pilot.id, weeks)
    if task and reader.least:
        seen = [
            _seen_of_task(pilot, each, task, own, reader)
            for each, own in zip(windows, figures, strict=False)
        ]
        figures[: len(windows)] = seen
    before = figures[1] if choice.previous else None
    likes_rank = not agreed.has_goals
    rows = leaderboard(
        candidates, figures[0], before, reader=reader, role=role, likes_rank=likes_rank
    )
    spent = spending_of(pilot, candidates, choice, reader=reader, now=now)
    elapsed = choice.period.clipped(choice.period.start, now)
    left = (choice.pilot_last - choice.today).days if pilot.is_running(at=now) else 0
    return Overview(
        rows=rows,
        scale=scale_of(rows),
        standing=_standing_of(role)
        if role
        else standing(rows, elapsed_days=elapsed.length / DAY, days_left=left),
        verdicts=verdicts(rows, spent, found, agreed),
        spent=spent,
        tasks=task_options(pilot, choice, task),
        task=task,
        figures_at=generation_of(pilot.id)[1],
        weeks=[reader.each(own) for own in figures[-2:]] if weeks else [],
        reader=reader,
        role=role,
        roles=role_options(found, choice, role),
        agreed=agreed,
    )


def _standing_of(role: RoleQuality) -> Standing:
    return Standing(role.headline, role.need)


def _seen_of_task(
    pilot: Pilot, period: Period, task: str, found: Mapping[int, Figures], reader: Reader
) -> dict[int, Figures]:
    """Return what may be seen of one task beside all tasks, which the same page shows as well."""
    usage = usage_by_candidate_and_task(pilot.id, period)
    seen = {}
    for key, figures in found.items():
        tasks = {each: Figures(sums) for each, sums in usage.get(key, {}).items()}
        part = reader.parts(tasks).get(task, figures)
        few = without_ratings(figures) if part.has_few_raters else figures
        seen[key] = hidden(figures) if part.is_hidden else few
    return seen


def spending_of(
    pilot: Pilot,
    candidates: Sequence[Candidate],
    choice: PeriodChoice,
    *,
    reader: Reader,
    now: datetime,
) -> Spending:
    """Return what the whole pilot cost up to today, whatever period is chosen."""
    zone = pilot.zone_info
    so_far = period_of_days(choice.pilot_first, choice.today, zone)
    return spending(
        candidates,
        spending_by_candidate(pilot.id, so_far, zone),
        reader=reader,
        budget_usd=pilot.budget_usd,
        today=choice.today,
        last=choice.pilot_last,
        is_running=pilot.is_running(at=now),
    )


def week_of(pilot: Pilot, choice: PeriodChoice, trials: Sequence[Trial], page: Overview) -> Week:
    """Return how far people came, and what moved between the weeks that the page has read."""
    candidates = candidates_of(trials)
    week, earlier = week_windows(pilot, choice)
    terms = cost_terms(each.id for each in candidates)
    moves = decided_moves(pilot, candidates, trials, terms, week)
    compares = earlier.end > pilot.period.start
    if compares:
        moves += candidate_moves(candidates, *page.weeks)
        spending = spending_move(page.spent.by_day, today=choice.today)
        moves += [spending] if spending and not page.spent.is_course_hidden else []
    people = adoption(pilot.id, active_since=day_of(week.start, pilot.zone_info))
    counts = {
        "Made a key": people.made_key,
        "First call": people.called,
        "Active last week" if choice.is_over else "Active this week": people.active,
        "Rated something": people.rated,
    }
    # How many are invited stands in the page's head too: it tells nothing about what they do.
    steps = [Step("Invited", people.invited)]
    steps += [step(label, count, page.reader) for label, count in counts.items()]
    quiet = 0 if page.reader.counts_few(people.quiet) else people.quiet
    return Week(steps, quiet, biggest(moves), compares, choice.is_over)


def step(label: str, count: int, reader: Reader) -> Step:
    if reader.counts_few(count):
        return Step(label, None, reader.size(count))
    return Step(label, count)
