"""What a pilot has spent, day by day, and whether its budget will do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from apps.catalog.models import Candidate
from apps.dashboard.forecast import Forecast, forecast
from apps.metrics.queries_days import DaySpend


@dataclass(frozen=True, slots=True)
class Series:
    """One candidate's spending by day, USD."""

    candidate: Candidate
    usd: tuple[Decimal, ...]

    @property
    def total_usd(self) -> Decimal:
        return sum(self.usd, Decimal(0))


@dataclass(frozen=True)
class Spending:
    """A whole pilot's, up to today; `last` is its last day, `is_running` whether it goes on."""

    days: tuple[date, ...]
    series: tuple[Series, ...]
    idle_usd: Decimal
    uncosted: int
    budget_usd: Decimal | None
    today: date
    last: date
    is_running: bool

    @cached_property
    def by_day(self) -> dict[date, Decimal]:
        return {
            day: sum((each.usd[index] for each in self.series), Decimal(0))
            for index, day in enumerate(self.days)
        }

    @cached_property
    def cumulative(self) -> list[Decimal]:
        return list(accumulate(self.by_day.values()))

    @property
    def total_usd(self) -> Decimal:
        return self.cumulative[-1] if self.cumulative else Decimal(0)

    @property
    def idle_share(self) -> float | None:
        return float(self.idle_usd / self.total_usd) if self.total_usd else None

    @cached_property
    def forecast(self) -> list[Forecast]:
        if not self.is_running:
            return []
        return forecast(self.by_day, today=self.today, last=self.last)

    @property
    def at_end(self) -> Forecast | None:
        return self.forecast[-1] if self.forecast else None


def spending(
    candidates: Sequence[Candidate],
    days: Mapping[int, Sequence[DaySpend]],
    *,
    budget_usd: Decimal | None,
    today: date,
    last: date,
    is_running: bool,
) -> Spending:
    """Return what was spent; candidates in their order, without those that cost nothing."""
    series, idle, uncosted = [], Decimal(0), 0
    for candidate in candidates:
        own = days.get(candidate.id, ())
        uncosted += sum(day.uncosted for day in own)
        idle += sum((day.idle_usd for day in own), Decimal(0))
        amounts = tuple(day.usd for day in own)
        if any(amounts):
            series.append(Series(candidate, amounts))
    known = next(iter(days.values()), ())
    return Spending(
        days=tuple(day.day for day in known),
        series=tuple(series),
        idle_usd=idle,
        uncosted=uncosted,
        budget_usd=budget_usd,
        today=today,
        last=last,
        is_running=is_running,
    )
