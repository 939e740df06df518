"""What a pilot has spent, day by day, and whether its budget will do. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from apps.catalog.models import Candidate
from apps.dashboard.forecast import Forecast, forecast
from apps.metrics.queries_days import DaySpend
from apps.metrics.readers import Reader


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
    """A whole pilot's, up to today; `last` is its last day, `is_running` whether it goes on.

    The sum is everybody's to know. `series` are the candidates whose own sums may be shown;
    `has_hidden` says that others cost something, too, and with `is_course_hidden` few people have
    called at all, so that the days would tell when they worked.
    """

    by_day: dict[date, Decimal]
    series: tuple[Series, ...]
    has_hidden: bool
    is_course_hidden: bool
    idle_usd: Decimal
    uncosted: int
    budget_usd: Decimal | None
    today: date
    last: date
    is_running: bool

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.by_day)

    @property
    def uncosted_words(self) -> str:
        """How many calls are in none of it; only that there are some where few people made them."""
        if self.has_hidden or self.is_course_hidden:
            return "some calls have no price and are not in it"
        if self.uncosted == 1:
            return "1 call has no price and is not in it"
        return f"{self.uncosted:,} calls have no price and are not in it"

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
    reader: Reader,
    budget_usd: Decimal | None,
    today: date,
    last: date,
    is_running: bool,
) -> Spending:
    """Return what was spent; candidates in their order, without those that cost nothing."""
    known = [day for candidate in candidates for day in days.get(candidate.id, ())]
    by_day = {day.day: Decimal(0) for day in next(iter(days.values()), ())}
    for day in known:
        by_day[day.day] += day.usd
    callers = {key: _callers(own) for key, own in days.items()}
    unseen = {key for key, people in callers.items() if reader.is_few(people)}
    # Taken from the sum, candidates that are shown leave those that are not: few people's, perhaps.
    is_split = not reader.is_few(_united(callers[key] for key in unseen))
    spent = [(each, tuple(day.usd for day in days.get(each.id, ()))) for each in candidates]
    spent = [(each, usd) for each, usd in spent if any(usd)]
    shown = [(each, usd) for each, usd in spent if is_split and each.id not in unseen]
    return Spending(
        by_day=by_day,
        series=tuple(Series(each, usd) for each, usd in shown),
        has_hidden=len(shown) < len(spent),
        is_course_hidden=reader.is_few(_united(callers.values())),
        idle_usd=sum((day.idle_usd for day in known), Decimal(0)),
        uncosted=sum(day.uncosted for day in known),
        budget_usd=budget_usd,
        today=today,
        last=last,
        is_running=is_running,
    )


def _callers(days: Iterable[DaySpend]) -> frozenset[int]:
    return _united(day.callers for day in days)


def _united(groups: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset[int]().union(*groups)
