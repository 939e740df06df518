"""What a pilot has found out about quality, role by role, in words. Pure.

Quality is the primary measure that was chosen beforehand for the role. Nothing else ranks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from typing import Any, Final

from apps.catalog.models import Candidate
from apps.core.figures import NO_DATA, number, percent
from apps.core.intervals import Interval
from apps.metrics.findings import EARLY, NOTHING, TIE, WINNER, Contrast, Finding, Place
from apps.metrics.quality_words import (
    COUNTED,
    UNITS,
    Against,
    against_words,
    bounds_words,
    contrast_between,
    gap_words,
    looks_words,
    need_words,
    value_words,
)
from apps.metrics.readers import Reader
from apps.pilots.models import Measure, UseRole

CHIPS: Final = {
    WINNER: ("Winner", "good"),
    TIE: ("Tie", "info"),
    EARLY: ("Too early", "quiet"),
    NOTHING: ("No data", "warn"),
}


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One candidate of a role. `against` is None for the best, which the others are held to."""

    candidate: Candidate
    place: Place
    value: str
    bounds: str
    against: Against | None
    leads_tier: bool
    is_winner: bool
    is_comparable: bool
    people: str
    is_few: bool

    @property
    def estimate(self) -> Interval | None:
        return self.place.estimate

    @property
    def beside(self) -> str:
        """What else is known: it never ranks."""
        told = []
        if self.place.shrunken is not None:
            told.append(f"{number(self.place.shrunken, 1)} drawn towards the mean of all")
        if self.place.first_share is not None:
            told.append(f"first in {percent(self.place.first_share)} of resampled teams")
        return "; ".join(told)

    @property
    def rank_range(self) -> str:
        if self.place.rank is None:
            return NO_DATA
        most = self.place.rank_most or self.place.rank
        return str(self.place.rank) if most == self.place.rank else f"{self.place.rank}–{most}"

    @property
    def words(self) -> str:
        """The interval for those who do not see it drawn."""
        return f"{self.value} ({self.bounds})" if self.estimate else "no answers yet"


@dataclass(frozen=True, slots=True)
class RoleQuality:
    """One role's finding as pages show it; `is_hidden` where too few people gave it."""

    finding: Finding
    rows: list[PlaceRow]
    headline: str
    need: str
    is_hidden: bool
    people: str
    looks: str = ""

    @property
    def role(self) -> str:
        return UseRole(self.finding.role).label

    @property
    def unit(self) -> str:
        return UNITS[Measure(self.finding.measure)]

    @property
    def counted(self) -> str:
        return f"{COUNTED[Measure(self.finding.measure)]}s"

    @property
    def chip(self) -> tuple[str, str]:
        return ("Too few people", "quiet") if self.is_hidden else CHIPS[self.finding.state]

    @property
    def margin(self) -> str:
        return gap_words(self.finding.measure, self.finding.margin).removeprefix("+")

    @property
    def baseline(self) -> str:
        if self.finding.baseline is None:
            return ""
        return value_words(self.finding.measure, self.finding.baseline)

    @property
    def scale(self) -> tuple[float, float]:
        """The part of the measure's range on which the intervals are drawn."""
        known = [row.estimate for row in self.rows if row.estimate]
        step, low, high = (
            (0.5, 1.0, 5.0) if self.finding.measure == Measure.DAILY else (0.1, 0.0, 1.0)
        )
        if not known:
            return low, high
        least = floor(min(each.low for each in known) / step) * step
        most = ceil(max(each.high for each in known) / step) * step
        return max(low, least), min(high, most)

    @property
    def winner(self) -> PlaceRow | None:
        return next((row for row in self.rows if row.is_winner), None)


def qualities(
    findings: Sequence[Finding],
    candidates: Mapping[int, Candidate],
    *,
    reader: Reader,
    days_left: int | None = None,
) -> list[RoleQuality]:
    """Return what was found out about each role, in the order of the roles.

    `days_left` is how many working days the pilot goes on for, where that is of interest.
    """
    order = {role: place for place, role in enumerate(("chat", "completion", "edit", "agent"))}
    ordered = sorted(findings, key=lambda each: order.get(each.role, len(order)))
    return [_quality(each, candidates, reader, days_left) for each in ordered]


def _quality(
    finding: Finding,
    candidates: Mapping[int, Candidate],
    reader: Reader,
    days_left: int | None,
) -> RoleQuality:
    people = f"{reader.size(finding.people)} {'person' if finding.people == 1 else 'people'}"
    if reader.counts_few(finding.people):
        waits = f"Fewer than {reader.least} people have answered so far; their figures would tell "
        waits += "what one of them thinks."
        return RoleQuality(finding, [], waits, "", True, people)
    finding = _seen(finding, reader)
    places = sorted(
        (each for each in finding.places if each.candidate_id in candidates),
        key=lambda each: (
            each.rank or len(finding.places) + 1,
            -(each.estimate.mid if each.estimate else 0.0),
            candidates[each.candidate_id].position,
        ),
    )
    rows: list[PlaceRow] = []
    for place in places:
        best = rows[0].place if rows else None
        rows.append(_row(finding, place, best, candidates, rows, reader))
    headline, need = _sentences(finding, rows, candidates, days_left)
    return RoleQuality(finding, rows, headline, need, False, people, looks_words(finding))


def _seen(finding: Finding, reader: Reader) -> Finding:
    """Return what may be seen: nothing of candidates that few people answered for, and no
    difference that few people have felt."""
    few = {each.candidate_id for each in finding.places if reader.counts_few(each.people)}

    def is_told(contrast: Contrast) -> bool:
        felt = contrast.prefer_first + contrast.prefer_second
        return few.isdisjoint((contrast.first_id, contrast.second_id)) and felt >= reader.least

    nothing: dict[str, Any] = dict.fromkeys(
        ("estimate", "rank", "rank_most", "shrunken", "first_share", "level")
    )
    places = [
        replace(each, count=0, days=0, **nothing) if each.candidate_id in few else each
        for each in finding.places
    ]
    told = tuple(each for each in finding.contrasts if is_told(each))
    seen = replace(finding, places=tuple(places), contrasts=told)
    return replace(seen, state=EARLY, winner_id=None) if finding.winner_id in few else seen


def _row(
    finding: Finding,
    place: Place,
    best: Place | None,
    candidates: Mapping[int, Candidate],
    above: Sequence[PlaceRow],
    reader: Reader,
) -> PlaceRow:
    measure = finding.measure
    estimate, against = place.estimate, None
    mid = estimate.mid if estimate else None
    if best is not None:
        contrast = contrast_between(finding, place.candidate_id, best.candidate_id)
        against = against_words(measure, contrast) if contrast else None
    return PlaceRow(
        candidate=candidates[place.candidate_id],
        place=place,
        value=value_words(measure, mid),
        bounds=bounds_words(measure, estimate),
        against=against,
        leads_tier=not above or place.rank is None or above[-1].place.rank != place.rank,
        is_winner=finding.winner_id == place.candidate_id and finding.state in (WINNER, TIE),
        is_comparable=best is None or place.group == best.group,
        people=reader.size(place.people),
        is_few=reader.counts_few(place.people),
    )


def _sentences(
    finding: Finding,
    rows: Sequence[PlaceRow],
    candidates: Mapping[int, Candidate],
    days_left: int | None,
) -> tuple[str, str]:
    """Say what was found, and what it would take to know more."""
    winner = candidates.get(finding.winner_id or 0)
    need = need_words(finding, days_left)
    if finding.state == NOTHING or not rows:
        return "Nobody has answered yet.", ""
    if finding.state == WINNER and winner is not None:
        second = next((row for row in rows if row.candidate.id != winner.id), None)
        if second is None:
            return f"{winner.name} is the only one that was tried.", ""
        contrast = contrast_between(finding, winner.id, second.candidate.id)
        if contrast is None:
            return f"{winner.name} is the best.", ""
        gap = against_words(finding.measure, contrast)
        told = f"by {gap.gap.removeprefix('+')} ({gap.bounds})"
        return f"{winner.name} is better than {second.candidate.name} {told}.", ""
    if finding.state == TIE:
        margin = gap_words(finding.measure, finding.margin).removeprefix("+")
        taken = f"{winner.name} is taken" if winner else "what you have already is kept"
        return (
            f"None of the best is worse by more than the margin of {margin}: a tie. "
            f"By the tie-break set beforehand, {taken}.",
            "",
        )
    if len(rows) == 1:
        return f"Only {rows[0].candidate.name} was tried, so there is nothing to compare.", ""
    return "The intervals do not tell the best apart yet.", need
