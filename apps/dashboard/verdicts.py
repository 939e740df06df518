"""The five questions, answered as far as the figures go. Pure.

"Needs data" says what is missing; nothing is answered that nobody has measured or set.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.catalog.models import Candidate, Residence
from apps.core.figures import money, money_range, number, percent, percent_interval
from apps.dashboard.leaderboard import Row
from apps.dashboard.spending import Spending
from apps.metrics.statistics import wilson


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cell of the strip; `state` is yes, no, data (needs data) or early (too early)."""

    number: int
    question: str
    state: str
    value: str
    evidence: str
    url: str = ""


def verdicts(rows: Sequence[Row], spent: Spending) -> list[Verdict]:
    """Answer the five questions from what exists now."""
    candidates = [row.candidate for row in rows]
    return [value(rows), fit(candidates), memory(), budget(spent), upkeep(rows)]


def value(rows: Sequence[Row]) -> Verdict:
    """No goal can be set yet, so the best share stands without a yes or a no."""
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


def fit(candidates: Sequence[Candidate]) -> Verdict:
    question = "Does a deployment fit?"
    if not candidates:
        return Verdict(2, question, "data", "–", "nothing is on trial yet: add a candidate")
    ours = sum(each.provider.residence != Residence.OUTSIDE for each in candidates)
    evidence = "candidates keep code on our own ground; no requirements are written down to check"
    return Verdict(2, question, "data", f"{ours} of {len(candidates)}", evidence)


def memory() -> Verdict:
    evidence = "no machine's memory is recorded; needs its size and the calls it serves at once"
    return Verdict(3, "Is there enough memory?", "data", "–", evidence)


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


def upkeep(rows: Sequence[Row]) -> Verdict:
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
    return Verdict(5, question, "data", percent(answered.mid, 1), evidence)
