"""Changes that somebody decided in a week: prices, machines, and what is on trial. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from apps.catalog.models import Candidate, HostingInterval, Price
from apps.core.figures import money, percent
from apps.core.periods import Period, day_of
from apps.dashboard.moves import Move
from apps.metrics.queries_prices import CostTerms
from apps.pilots.models import Pilot, Trial

# Decisions stand before what merely drifted.
DECIDED = 10.0
# As long as a weekend with a bank holiday.
RESTS = timedelta(days=4)


def decided_moves(
    pilot: Pilot,
    candidates: Sequence[Candidate],
    trials: Iterable[Trial],
    terms: Mapping[int, CostTerms],
    week: Period,
) -> list[Move]:
    """Return the price changes, starts and stops of machines, and trials of a week."""
    zone = pilot.zone_info

    def is_in(at: datetime | None) -> bool:
        return at is not None and week.start <= at < week.end

    def move(at: datetime, text: str, candidate: Candidate | None, kind: str = "") -> Move:
        return Move(text, DECIDED, candidate, day_of(at, zone), kind)

    by_id = {candidate.id: candidate for candidate in candidates}
    found = []
    for candidate in candidates:
        own = terms[candidate.id]
        for old, new in zip(own.prices, own.prices[1:], strict=False):
            told = price_change(old, new)
            if is_in(new.valid_from) and told:
                found.append(move(new.valid_from, told[0], candidate, told[1]))
        for at, words in machine_changes(own.hosting):
            if is_in(at):
                found.append(move(at, words, candidate))
    for trial in trials:
        candidate_or_none = by_id.get(trial.candidate_id)
        # What was there from the start did not come this week.
        if is_in(trial.added_at) and trial.added_at >= pilot.period.start:
            found.append(move(trial.added_at, "joined the pilot", candidate_or_none))
        if trial.dropped_at is not None and is_in(trial.dropped_at):
            found.append(move(trial.dropped_at, "left the pilot", candidate_or_none))
    return found


def machine_changes(hosting: Sequence[HostingInterval]) -> Iterator[tuple[datetime, str]]:
    """Yield when machines were started and stopped, but for nights and weekends.

    Machines that come back as they were within RESTS have rested; nobody decided anything.
    """
    ordered = sorted(hosting, key=lambda each: each.started_at)
    has_rested = False
    for each, later in zip_longest(ordered, ordered[1:]):
        if not has_rested:
            yield each.started_at, f"machines started: {rate(each)}"
        came_back = later is not None and rests_between(each, later)
        # Whether the latest stop is a rest, too, only the future tells; they rested before.
        if each.ended_at is not None and not came_back and not (later is None and has_rested):
            yield each.ended_at, f"machines stopped: {rate(each)}"
        has_rested = came_back


def rests_between(earlier: HostingInterval, later: HostingInterval) -> bool:
    """Tell whether the same machines stood still for a while between two intervals."""
    return (
        earlier.ended_at is not None
        and later.started_at - earlier.ended_at <= RESTS
        and rate(earlier) == rate(later)
    )


def price_change(old: Price, new: Price) -> tuple[str, str] | None:
    """Say how the price of written tokens changed, or of read ones where that did not."""
    for words, then, now in (
        ("out", old.output_usd_per_mtok, new.output_usd_per_mtok),
        ("in", old.input_usd_per_mtok, new.input_usd_per_mtok),
    ):
        if then != now:
            way, kind = ("rose", "bad") if now > then else ("fell", "good")
            step = f" {percent(abs(now / then - 1))}" if then else ""
            prices = f"{money(then)} to {money(now)}"
            return f"price {way}{step}, from {prices} per million tokens {words}", kind
    return None


def rate(interval: HostingInterval) -> str:
    """Write what machines cost: 2 × $1.79 an hour."""
    count = f"{interval.count} × " if interval.count > 1 else ""
    return f"{count}{money(interval.usd_per_hour)} an hour"
