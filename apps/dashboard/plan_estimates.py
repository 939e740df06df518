"""What a plan promises before the start: how likely a verdict is, and what it will cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.core.cache import cache

from apps.catalog.queries import CandidateRow, candidate_rows
from apps.core.rotation import working_days_between
from apps.metrics.stats.made_up import Assumptions
from apps.metrics.stats.power import ASSUMED, WEEKS, Chance, chances
from apps.pilots.arms import newest_era, standing_rotations
from apps.pilots.models import Goal, Measure, Pilot, Plan, Stage
from apps.pilots.plan_defaults import FINALISTS
from apps.planning.day0 import DayZero, Load, Offer, Span, day_zero

# Enough for the figure on the page, few enough for one request: made-up pilots are fewer where
# each of them is larger, and more people would only raise what is near certainty.
ROUNDS_MOST: Final = 400
ROUNDS_LEAST: Final = 100
TURNS_MOST: Final = 60_000
PEOPLE_MOST: Final = 100
CANDIDATES_MOST: Final = 8
KEPT_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Promise:
    """How likely a role's verdict is at some weeks; `why_not` where nothing can be said."""

    role: str
    measure: str
    candidates: int
    chances: tuple["Look", ...]
    assumed: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the results. `is_after` tells that the pilot is over by then."""

    chance: Chance
    is_after: bool
    kind: str


def promises(pilot: Pilot, goals: Sequence[Goal], people: int) -> list[Promise]:
    """Return for each role how likely its verdict is."""
    begun: dict[str, date] = {}
    if pilot.is_draft:
        arms = {goal.role: len(goal.candidate_ids) for goal in goals if goal.is_blind}
    else:
        rotations = standing_rotations(pilot)
        arms = {each.role: len(newest_era(each).candidate_ids) for each in rotations}
        begun = {each.role: each.known_eras()[0].first_day for each in rotations}
    return [
        _promise(pilot, goal, people, arms.get(goal.role), begun.get(goal.role)) for goal in goals
    ]


def _promise(
    pilot: Pilot, goal: Goal, people: int, arms: int | None, begun: date | None
) -> Promise:
    """`arms` is how many take turns, None where nobody does; weeks count from `begun`, which may be
    later than the pilot's first day where a screening came first.
    """
    count = len(goal.candidate_ids) if arms is None else arms
    measure = goal.get_measure_display()
    why_not = ""
    if pilot.stage == Stage.SCREENING:
        why_not = "A screening finds finalists; it gives no verdict."
    elif count < FINALISTS:
        why_not = "There is no other candidate to be told apart from."
    elif arms is None and goal.measure != Measure.WINS:
        why_not = "Without turns people choose whom they ask, so no verdict is given."
    if why_not:
        return Promise(goal.get_role_display(), measure, count, (), "", why_not)
    days = (pilot.ends_on - max(pilot.starts_on, begun or pilot.starts_on)).days + 1
    looks = tuple(
        Look(each, each.week * 7 > days, _kind(each.share))
        for each in simulated(goal.measure, people, count)
    )
    return Promise(goal.get_role_display(), measure, count, looks, _assumed(goal.measure, ASSUMED))


def simulated(measure: str, people: int, candidates: int) -> list[Chance]:
    """Return the chances of a verdict, simulated once for the same question."""
    people = min(people, PEOPLE_MOST)
    candidates = min(candidates, CANDIDATES_MOST)
    rounds = max(ROUNDS_LEAST, min(ROUNDS_MOST, TURNS_MOST // (people * candidates)))
    weeks = "-".join(map(str, WEEKS))
    key = f"chances:{measure}:{people}:{candidates}:{rounds}:{weeks}"
    found: list[Chance] | None = cache.get(key)
    if found is None:
        found = chances(measure=measure, people=people, candidates=candidates, rounds=rounds)
        cache.set(key, found, KEPT_S)
    return found


def _kind(share: float) -> str:
    if share >= 0.8:
        return "good"
    return "warn" if share >= 0.5 else "bad"


def _assumed(measure: str, assumed: Assumptions) -> str:
    match measure:
        case Measure.ACCEPTANCE:
            return (
                f"the best has {assumed.accepted_best:.0%} accepted, "
                f"others {assumed.accepted:.0%}, of {assumed.shown_a_day:.0f} a day"
            )
        case Measure.DAILY:
            return (
                f"the best leads by {assumed.daily_gap:g} of five, "
                f"{assumed.daily_answered:.0%} of days are answered"
            )
    return f"the best wins {assumed.wins:.0%}, {assumed.votes_a_week} votes a week from each"


def estimate(pilot: Pilot, plan: Plan, ids: Sequence[int], people: int, now: datetime) -> DayZero:
    """Return what the pilot and a year will cost by the prices in force now."""
    load = Load(people, plan.prompt_tokens_per_day, plan.completion_tokens_per_day)
    rows = [row for row in candidate_rows(now=now) if row.candidate.id in ids]
    after = pilot.ends_on + timedelta(days=1)
    days = Span(working_days_between(pilot.starts_on, after), (after - pilot.starts_on).days)
    return day_zero(load, [_offer(row) for row in rows], days)


def _offer(row: CandidateRow) -> Offer:
    price, hosting = row.price, row.hosting
    return Offer(
        row.candidate.name,
        row.candidate.position,
        price.input_usd_per_mtok if price else None,
        price.output_usd_per_mtok if price else None,
        hosting.usd_per_hour * hosting.count if hosting else None,
    )
