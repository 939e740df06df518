"""The five questions, answered as far as the figures go. Pure.

"Needs data" says what is missing; nothing is answered that nobody has measured or set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from apps.catalog.models import Residence
from apps.core.figures import money, money_range, number, percent, percent_interval, seconds
from apps.dashboard.leaderboard import Row
from apps.dashboard.spending import Spending
from apps.metrics.findings import EARLY
from apps.metrics.quality import RoleQuality
from apps.metrics.quality_words import value_words
from apps.metrics.statistics import wilson
from apps.pilots.models import Plan

# The farther code goes, the more there is to agree to.
FARNESS: Final = {Residence.INSIDE: 0, Residence.PRIVATE: 1, Residence.OUTSIDE: 2}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cell of the strip; `state` is yes, no, data (needs data) or early (too early)."""

    number: int
    question: str
    state: str
    value: str
    evidence: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was set beforehand. `least` is by role, in the unit of its measure.

    `has_goals` tells whether any role has a measure, which alone may rank.
    """

    least: Mapping[str, float] = field(default_factory=dict)
    has_goals: bool = False
    plan: Plan | None = None
    baseline: str = ""


NOTHING_AGREED: Final = Agreed()


def verdicts(
    rows: Sequence[Row],
    spent: Spending,
    qualities: Sequence[RoleQuality] = (),
    agreed: Agreed = NOTHING_AGREED,
) -> list[Verdict]:
    """Answer the five questions from what exists now."""
    first = quality(qualities, agreed) if qualities else value(rows)
    return [first, fit(rows, agreed.plan), memory(agreed.plan), budget(spent), upkeep(rows, agreed)]


def quality(qualities: Sequence[RoleQuality], agreed: Agreed) -> Verdict:
    """Hold the best of the first role with evidence against what was agreed to be worth it."""
    question, url = "Is one valuable enough?", "#quality"
    known = [each for each in qualities if each.rows and each.rows[0].estimate is not None]
    if not known:
        missing = qualities[0].headline if qualities[0].is_hidden else "nobody has answered yet"
        return Verdict(1, question, "data", "–", missing, url)
    role = known[0]
    best = role.winner or role.rows[0]
    # What a person like these gives: how much people differ is part of it.
    level = best.place.level or best.estimate or role.rows[0].estimate
    assert level is not None
    measure, least = role.finding.measure, agreed.least.get(role.finding.role)
    evidence = f"{role.role.lower()}: {best.candidate.name} ({best.bounds})"
    now = role.finding.baseline
    if now is not None:
        evidence += f"; {agreed.baseline or 'what you have'} {value_words(measure, now)}, not blind"
    if now is not None and level.high < now:
        return Verdict(1, question, "no", best.value, f"{evidence}: stay with what you have", url)
    if least is None:
        return Verdict(1, question, "data", best.value, f"{evidence}; no least was set", url)
    evidence += f"; at least {value_words(measure, least)} was asked for"
    state = "yes" if level.low >= least else "no" if level.high < least else "early"
    if state == "yes" and role.finding.state == EARLY:
        evidence += "; which is best is not told yet"
    return Verdict(1, question, state, best.value, evidence, url)


def value(rows: Sequence[Row]) -> Verdict:
    """Without a goal, the best share liked stands without a yes or a no."""
    question = "Is one valuable enough?"
    best = rows[0] if rows and rows[0].liked else None
    if best is None or best.liked is None:
        waiting = sum(row.figures.usage.rateable for row in rows)
        if any(row.figures.is_hidden or row.figures.has_few_raters for row in rows):
            missing = "too few people have rated a candidate yet"
        elif waiting:
            missing = f"{number(waiting)} answers could be rated, none was: ask for ratings"
        else:
            missing = "no answer to rate yet: it begins with the first chat or edit"
        return Verdict(1, question, "data", "–", missing, "#leaderboard")
    bounds = percent_interval(best.liked.low, best.liked.high)
    evidence = (
        f"of {number(best.figures.usage.rated)} rated answers liked ({bounds}), "
        f"{best.candidate.name}; no goal is set to hold it against"
    )
    return Verdict(1, question, "data", percent(best.liked.mid), evidence, "#leaderboard")


def fit(rows: Sequence[Row], plan: Plan | None = None) -> Verdict:
    """Where code goes and how soon an answer begins, against what was agreed."""
    question = "Does a deployment fit?"
    if not rows:
        return Verdict(2, question, "data", "–", "nothing is on trial yet: add a candidate")
    if plan is None:
        ours = sum(row.candidate.provider.residence != Residence.OUTSIDE for row in rows)
        evidence = "candidates keep code on our own ground; no requirements are written down"
        return Verdict(2, question, "data", f"{ours} of {len(rows)}", f"{evidence} to check")
    most = FARNESS[Residence(plan.residence_most)]
    near = [row for row in rows if FARNESS[Residence(row.candidate.provider.residence)] <= most]
    if not near:
        evidence = "candidates keep code where it may go"
        return Verdict(2, question, "no", f"0 of {len(rows)}", evidence)
    wanted = plan.first_content_ms_most
    if wanted is None:
        evidence = "candidates keep code where it may go; no time to the first token was set"
        return Verdict(2, question, "data", f"{len(near)} of {len(rows)}", evidence)
    measured = [row for row in near if row.first_p95 is not None]
    fast = [row for row in measured if (row.first_p95 or 0) <= wanted]
    evidence = f"keep code where it may go and begin within {seconds(wanted)} for 95 of 100 calls"
    state = "yes" if fast else "no" if len(measured) == len(near) else "data"
    return Verdict(2, question, state, f"{len(fast)} of {len(rows)}", evidence)


def memory(plan: Plan | None = None) -> Verdict:
    question = "Is there enough memory?"
    if plan is None or plan.memory_gb is None:
        evidence = "no machine's memory is recorded; needs its size and the calls it serves at once"
        return Verdict(3, question, "data", "–", evidence)
    evidence = "is there; what the candidates need for the calls at once is not worked out yet"
    return Verdict(3, question, "data", f"{number(plan.memory_gb)} GB", evidence)


def budget(spent: Spending) -> Verdict:
    """Yes or no only once the whole range of the forecast, or the end, lies on one side."""
    question, url = "Is there enough budget?", "#spending"
    so_far, limit, end = money(spent.total_usd), spent.budget_usd, spent.at_end
    goal = f"budget {money(limit)}" if limit is not None else "no budget is set to hold it against"
    if spent.uncosted:
        goal += f"; {spent.uncosted_words}"
    if limit is None or (not spent.is_running and not spent.days):
        return Verdict(4, question, "data", so_far, f"spent so far; {goal}", url)
    if spent.total_usd > limit:
        return Verdict(4, question, "no", so_far, f"spent already, more than the {goal}", url)
    if not spent.is_running:
        state = "data" if spent.uncosted else "yes"
        return Verdict(4, question, state, so_far, f"spent in all; {goal}", url)
    if end is None:
        return Verdict(
            4, question, "data", so_far, f"spent so far; {goal}; a forecast needs three days", url
        )
    state = "no" if end.low_usd > limit else "yes" if end.high_usd <= limit else "early"
    if state == "yes" and spent.uncosted:
        state = "data"
    reach = money_range(end.low_usd, end.high_usd)
    evidence = f"by {end.day.day} {end.day:%b} at this pace, {so_far} so far; {goal}"
    return Verdict(4, question, state, reach, evidence, url)


def upkeep(rows: Sequence[Row], agreed: Agreed = NOTHING_AGREED) -> Verdict:
    question = "Can it be maintained?"
    calls = sum(row.figures.usage.calls for row in rows)
    missing = "who updates and watches it is not written down"
    if not calls:
        few = any(row.figures.is_hidden for row in rows)
        known = "too few people have called yet" if few else "no calls yet"
        return Verdict(5, question, "data", "–", f"{known}; {missing}")
    answered = wilson(calls - sum(row.figures.usage.failed for row in rows), calls)
    bounds = percent_interval(answered.low, answered.high, 1)
    evidence = f"of {number(calls)} calls did not fail ({bounds}); {missing}"
    most = agreed.plan.failed_share_most if agreed.plan else None
    # A threshold that is met leaves the hours of work open; one that is missed settles it.
    fails = most is not None and 1 - answered.high > float(most)
    if most is not None:
        evidence = f"{evidence}; at most {percent(most)} may fail"
    return Verdict(5, question, "no" if fails else "data", percent(answered.mid, 1), evidence)
