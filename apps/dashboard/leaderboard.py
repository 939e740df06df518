"""Candidates side by side: who leads, how sure that is, and what would make it surer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

from apps.catalog.models import Candidate
from apps.core.figures import percent, percent_interval, seconds
from apps.dashboard.deltas import Delta, change, share_change
from apps.dashboard.measured import Measured
from apps.metrics.quality import PlaceRow, RoleQuality
from apps.metrics.readers import Reader
from apps.metrics.statistics import Interval, wilson
from apps.metrics.sums import Figures

# Half of an interval: with more than this, "liked" says little.
WIDE: Final = 0.10
# Beyond this many times the ratings there are, more of them is no plan.
MOST_TIMES: Final = 50
Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Row(Measured):
    """One candidate. `rank` is None without evidence; `leads_tier` where a new rank begins.

    `role` is what was found out by its primary measure, None where there is none, and `place`
    where that puts the candidate, None where it was not part of it.
    """

    candidate: Candidate
    figures: Figures
    before: Figures | None
    rank: int | None
    leads_tier: bool
    reader: Reader
    role: RoleQuality | None = None
    place: PlaceRow | None = None

    @property
    def quality(self) -> Interval | None:
        """What ranks: beside a primary measure, likes are no stand-in for it."""
        if self.role is None:
            return self.liked
        return self.place.estimate if self.place else None

    @property
    def liked_words(self) -> str:
        """The interval for those who do not see it drawn."""
        if self.liked is None:
            return "rated by too few to tell" if self.figures.has_few_raters else "no ratings"
        bounds = percent_interval(self.liked.low, self.liked.high)
        return f"{percent(self.liked.mid)} liked ({bounds})"

    @property
    def host(self) -> str:
        """Where it runs, in few words."""
        return self.candidate.deployment or self.candidate.provider.name

    @property
    def ratings_missing(self) -> int:
        """How many more ratings would bring the interval within ten points; 0 when it is."""
        return ratings_to_narrow(self.liked, self.figures.usage.rated)

    @property
    def liked_delta(self) -> Delta | None:
        if self.before is None:
            return None
        new, old = self.figures.usage, self.before.usage
        return share_change((new.liked, new.rated), (old.liked, old.rated), up_is_good=True)

    @property
    def error_delta(self) -> Delta | None:
        if self.before is None:
            return None
        new, old = self.figures.usage, self.before.usage
        return share_change((new.failed, new.calls), (old.failed, old.calls), up_is_good=False)

    @property
    def first_delta(self) -> Delta | None:
        before = self.before.latency.first_ms(0.95) if self.before else None
        return change(self.first_p95, before, up_is_good=False)

    @property
    def total_delta(self) -> Delta | None:
        before = self.before.latency.total_ms(0.95) if self.before else None
        return change(self.total_p95, before, up_is_good=False)

    @property
    def call_cost_delta(self) -> Delta | None:
        before = self.before.cost_per_call_usd if self.before else None
        return change(self.figures.cost_per_call_usd, before, up_is_good=False)

    @property
    def liked_cost_delta(self) -> Delta | None:
        before = self.before.cost_per_liked_usd if self.before else None
        return change(self.figures.cost_per_liked_usd, before, up_is_good=False)

    @property
    def first(self) -> tuple[str, str]:
        return times(self.first_p50, self.first_p95)

    @property
    def total(self) -> tuple[str, str]:
        return times(self.total_p50, self.total_p95)

    @property
    def people(self) -> str:
        if self.figures.is_hidden:
            return f"<{self.reader.least}"
        return self.reader.size(len(self.figures.usage.people))

    @property
    def people_words(self) -> str:
        return f"{self.people} {'dev' if self.people == '1' else 'devs'}"


def leaderboard(
    candidates: Sequence[Candidate],
    figures: Mapping[int, Figures],
    before: Mapping[int, Figures] | None = None,
    *,
    reader: Reader,
    role: RoleQuality | None = None,
    likes_rank: bool = True,
) -> list[Row]:
    """Return candidates by rank, then by what ranks them; those without it last, as registered.

    The primary measure of the role ranks alone; without a role the share liked does, unless
    `likes_rank` says that a measure was agreed on and has found nothing yet. What the reader may
    not see is in no row, and ranks nothing.
    """
    nothing = Figures()
    known = {each.id: reader.figures(figures.get(each.id, nothing)) for each in candidates}
    places = {row.candidate.id: row for row in role.rows} if role else {}
    intervals = {key: each.usage.liked_interval for key, each in known.items()}
    if role is not None:
        intervals = {key: places[key].estimate if key in places else None for key in known}
    elif not likes_rank:
        intervals = dict.fromkeys(known)
    ranks = ranks_of(intervals)

    def place(candidate: Candidate) -> tuple[float, float, int]:
        interval = intervals[candidate.id]
        rank = ranks[candidate.id] or float("inf")
        return (rank, -interval.mid if interval else 0.0, candidate.position)

    rows: list[Row] = []
    for candidate in sorted(candidates, key=place):
        rank = ranks[candidate.id]
        leads = not rows or rank is None or rows[-1].rank != rank
        earlier = None
        if before is not None:
            earlier = reader.figures(before.get(candidate.id, nothing))
        shown, own = known[candidate.id], places.get(candidate.id)
        rows.append(Row(candidate, shown, earlier, rank, leads, reader, role, own))
    return rows


def times(p50: int | None, p95: int | None) -> tuple[str, str]:
    """Write two durations in ms with their unit said once, where it is the same: 0.42, 1.3 s."""
    first, second = seconds(p50), seconds(p95)
    if first.endswith(" s") and second.endswith(" s") and " min " not in first + second:
        first = first.removesuffix(" s")
    return first, second


def ranks_of(intervals: Mapping[int, Interval | None]) -> dict[int, int | None]:
    """Rank = 1 + how many others' lower bound lies above this one's upper bound."""
    known = [interval for interval in intervals.values() if interval]
    return {
        key: 1 + sum(other.low > interval.high for other in known) if interval else None
        for key, interval in intervals.items()
    }


def ratings_to_narrow(liked: Interval | None, rated: int) -> int:
    """Return about how many more ratings bring half the 95 % interval down to WIDE.

    By the normal approximation, with the share held where it is; without any, with one half.
    """
    if liked is not None and (liked.high - liked.low) / 2 <= WIDE:
        return 0
    # The middle of a Wilson interval leans to one half, as an early share should.
    share = (liked.low + liked.high) / 2 if liked else 0.5
    return max(1, ceil(Z_95**2 * share * (1 - share) / WIDE**2) - rated)


def ratings_to_separate(first: tuple[int, int], second: tuple[int, int]) -> int | None:
    """Return about how many more ratings would part two candidates' intervals at this difference.

    Each is (liked, rated), and goes on at its present pace. 0 if they are apart; None if MOST_TIMES
    what there is would not do.
    """

    def apart(times: float) -> bool:
        bounds = []
        for liked, rated in (first, second):
            n = max(1, round(rated * times))
            bounds.append(wilson(min(n, round(liked / rated * n)), n))
        return bounds[0].low > bounds[1].high

    if not first[1] or not second[1]:
        return None
    if apart(1.0):
        return 0
    low, high = 1.0, float(MOST_TIMES)
    if not apart(high):
        return None
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (low, middle) if apart(middle) else (middle, high)
    return ceil((high - 1) * (first[1] + second[1]))


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ratings say about the first two, in words: `lead` is what would change it."""

    text: str
    lead: str = ""


def standing(rows: Sequence[Row], *, elapsed_days: float, days_left: int) -> Standing:
    """Say whether the first is ahead, and otherwise what it would take to tell.

    `elapsed_days` is how long the ratings took to come; `days_left` how long the pilot goes on.
    """
    rated = [row for row in rows if row.rank is not None]
    few = [row for row in rows if row.figures.is_hidden or row.figures.has_few_raters]
    if not rated and few:
        return Standing("Too few people have rated a candidate, so there is no order yet.")
    if not rated:
        return Standing("Nobody has rated an answer yet, so there is no order.")
    if len(rated) == 1:
        who = "enough people who rated it" if few else "ratings"
        return Standing(f"Only one candidate has {who}, so there is nothing to compare it with.")
    first, second = rated[0], rated[1]
    if second.rank != first.rank:
        return Standing(
            f"{first.candidate.name} is clearly ahead: its 95% interval lies above all others."
        )
    pairs = [(row.figures.usage.liked, row.figures.usage.rated) for row in (first, second)]
    missing = ratings_to_separate(pairs[0], pairs[1])
    shared = "Candidates whose intervals overlap share a rank."
    if not missing:
        return Standing(f"{shared} More ratings alone would hardly tell the first two apart.")
    told = "would tell the first two apart at this difference."
    lead = f"About {missing:,} more ratings"
    pace = sum(rated for _, rated in pairs) / elapsed_days if elapsed_days > 0 else 0
    if not days_left or not pace:
        return Standing(shared, f"{lead} {told}")
    days = ceil(missing / pace)
    if days > days_left:
        short = (
            f"At this pace the pilot's {days_left} days left are too few: a tie is an answer too."
        )
        return Standing(f"{shared} {short}", f"{lead} {told}")
    return Standing(shared, f"{lead}, {days} {'day' if days == 1 else 'days'} at this pace, {told}")


@dataclass(frozen=True, slots=True)
class Scale:
    """The part of 0 to 1 on which intervals are drawn, and the share liked of all together."""

    low: float
    high: float
    together: float | None


def scale_of(rows: Sequence[Row]) -> Scale:
    """Return tenths that hold every interval."""
    bounds = [bound for row in rows if row.liked for bound in (row.liked.low, row.liked.high)]
    if not bounds:
        return Scale(0.0, 1.0, None)
    rated = sum(row.figures.usage.rated for row in rows)
    together = sum(row.figures.usage.liked for row in rows) / rated
    return Scale(floor(min(bounds) * 10) / 10, ceil(max(bounds) * 10) / 10, together)
