"""Changes that somebody decided in a week: prices, machines, and what is on trial. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from apps.catalog.models import Candidate, HostingInterval, Price
from apps.core.figures import money, percent
from apps.core.periods import Period, day_of
from apps.dashboard.moves import Move
from apps.metrics.queries_prices import CostTerms
from apps.pilots.models import Pilot, Trial

# Decisions stand before what merely drifted.
DECIDED = 10.0


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
        for each in own.hosting:
            if is_in(each.started_at):
                found.append(move(each.started_at, f"machines started: {rate(each)}", candidate))
            if each.ended_at is not None and is_in(each.ended_at):
                found.append(move(each.ended_at, f"machines stopped: {rate(each)}", candidate))
    for trial in trials:
        candidate_or_none = by_id.get(trial.candidate_id)
        # What was there from the start did not come this week.
        if is_in(trial.added_at) and trial.added_at >= pilot.period.start:
            found.append(move(trial.added_at, "joined the pilot", candidate_or_none))
        if trial.dropped_at is not None and is_in(trial.dropped_at):
            found.append(move(trial.dropped_at, "left the pilot", candidate_or_none))
    return found


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
