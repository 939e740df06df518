"""How values, differences and verdicts of the primary measures are written. Pure."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from apps.core.figures import NO_DATA, number, percent, percent_interval, points, signed
from apps.core.figures import interval as bounds_of
from apps.core.intervals import Interval
from apps.metrics.findings import BETTER, EARLY, NOT_WORSE, WORSE, Contrast, Finding
from apps.pilots.models import Measure

AGAINST: Final = {
    BETTER: ("better", "good"),
    NOT_WORSE: ("not worse", "info"),
    WORSE: ("worse", "bad"),
    EARLY: ("too early", "quiet"),
}
UNITS: Final = {
    Measure.ACCEPTANCE: "share of completions accepted",
    Measure.DAILY: "daily question, of 5",
    Measure.WINS: "share of blind comparisons won",
}
COUNTED: Final = {
    Measure.ACCEPTANCE: "completion",
    Measure.DAILY: "answer",
    Measure.WINS: "vote",
}


def value_words(measure: str, value: float | None) -> str:
    """Write a value of a measure: 62 %, or 3.9."""
    return number(value, 1) if measure == Measure.DAILY else percent(value)


def bounds_words(measure: str, interval: Interval | None) -> str:
    if interval is None:
        return NO_DATA
    if measure == Measure.DAILY:
        return bounds_of(interval.low, interval.high, 1)
    return percent_interval(interval.low, interval.high)


def gap_words(measure: str, gap: float | None) -> str:
    """Write a difference with its sign: +0.6, +4 pts."""
    return signed(gap, 1) if measure == Measure.DAILY else points(gap)


def gap_bounds_words(measure: str, gap: Interval | None) -> str:
    if gap is None:
        return NO_DATA
    return f"{gap_words(measure, gap.low)} to {gap_words(measure, gap.high)}"


@dataclass(frozen=True, slots=True)
class Against:
    """How one candidate stands to another: a verdict, and the difference that it rests on."""

    word: str
    kind: str
    gap: str
    bounds: str
    preferred: str = ""


def contrast_between(finding: Finding, first: int, second: int) -> Contrast | None:
    """Return how `first` stands to `second`; every pair is stored from both sides."""
    for each in finding.contrasts:
        if (each.first_id, each.second_id) == (first, second):
            return each
    return None


def against_words(measure: str, contrast: Contrast) -> Against:
    word, kind = AGAINST[contrast.verdict]
    gap = contrast.difference
    sided = contrast.prefer_first + contrast.prefer_second
    return Against(
        word,
        kind,
        gap_words(measure, gap.mid if gap else None),
        gap_bounds_words(measure, gap),
        f"{number(contrast.prefer_first)} of {number(sided)} people lean to it" if sided else "",
    )


def looks_words(finding: Finding) -> str:
    """Say when a verdict is given: on the looks that were planned, and on no other day."""
    told = []
    if finding.judged_on is not None:
        told.append(
            f"Judged on {_day(finding.judged_on)}, look {finding.look} of {finding.looks}, by the "
            "days before"
        )
    if finding.next_look_on is not None:
        told.append(
            f"{'the next' if told else 'The first'} look is on {_day(finding.next_look_on)}"
        )
    return f"{'; '.join(told)}." if told else ""


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def need_words(finding: Finding, days_left: int | None) -> str:
    """Say what it would take to tell, and whether there is the time."""
    early = [each for each in finding.contrasts if each.verdict == EARLY]
    if early and finding.next_look_on and all(each.more == 0 for each in early):
        return f"Enough was said: the look on {_day(finding.next_look_on)} will tell."
    missing = [each for each in early if each.more]
    if not missing:
        return ""
    most = max(missing, key=lambda each: each.more or 0)
    counted = COUNTED[Measure(finding.measure)] + ("" if most.more == 1 else "s")
    told = f"About {number(most.more)} more {counted}"
    if not most.more_days:
        return f"{told} would tell."
    days = f"{number(most.more_days)} working {'day' if most.more_days == 1 else 'days'}"
    if days_left is not None and most.more_days > days_left:
        return (
            f"{told} would tell, {days} at the present pace: more than the {number(days_left)} "
            "that are left. A tie is an answer, too."
        )
    return f"{told}, {days} at the present pace, would tell."
