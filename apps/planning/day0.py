"""What a pilot and a year will cost, before anybody has called: a range from stated assumptions.

Pure. All of it is an estimate, and is to be marked as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MILLION: Final = Decimal(1_000_000)
DAYS_A_YEAR: Final = 365
# Of 52 weeks of five days, what is left after holidays and illness.
WORKING_DAYS_A_YEAR: Final = 220
# Developers call half as much as assumed, as much, or twice as much.
LEAST_USE, MOST_USE = Decimal("0.5"), Decimal(2)
# Machines are stopped outside of working hours, or run around the clock.
HOURS_WORKED: Final = Decimal(10)
HOURS_A_DAY: Final = Decimal(24)


@dataclass(frozen=True, slots=True)
class Load:
    """What developers do: tokens are of one developer on a working day."""

    people: int
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What a candidate costs: by the million tokens, by the hour of its machines, or not known."""

    name: str
    position: int
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    usd_per_hour: Decimal | None = None

    @property
    def is_known(self) -> bool:
        return self.usd_per_hour is not None or self.input_usd_per_mtok is not None


@dataclass(frozen=True, slots=True)
class Range:
    """US dollars: at least, likely, at most."""

    low: Decimal
    likely: Decimal
    high: Decimal

    def __add__(self, other: "Range") -> "Range":
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)


@dataclass(frozen=True, slots=True)
class Span:
    """How long something runs, in working days and in days."""

    working_days: int
    days: int


YEAR: Final = Span(WORKING_DAYS_A_YEAR, DAYS_A_YEAR)
NOTHING: Final = Range(Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True, slots=True)
class OfferCost:
    """What one candidate costs in the pilot, where all of them share the calls, and in a year."""

    offer: Offer
    pilot: Range | None
    year: Range | None


@dataclass(frozen=True, slots=True)
class DayZero:
    """The whole estimate. `year` goes from the cheapest to the dearest; None: nothing is known."""

    rows: tuple[OfferCost, ...]
    pilot: Range | None
    year: Range | None
    unknown: tuple[str, ...]


def day_zero(load: Load, offers: Sequence[Offer], pilot: Span) -> DayZero:
    """Return what a pilot by these people and candidates costs, and one of them for a year.

    In the pilot everybody's calls are shared evenly among the candidates, and every machine runs;
    after it one candidate serves everybody.
    """
    share = Decimal(1) / len(offers) if offers else Decimal(0)
    rows = tuple(
        OfferCost(offer, cost(offer, load, pilot, share), cost(offer, load, YEAR, Decimal(1)))
        for offer in offers
    )
    pilots = [row.pilot for row in rows if row.pilot is not None]
    years = [row.year for row in rows if row.year is not None]
    return DayZero(
        rows,
        sum(pilots, NOTHING) if pilots else None,
        _between(years) if years else None,
        tuple(offer.name for offer in offers if not offer.is_known),
    )


def cost(offer: Offer, load: Load, span: Span, share: Decimal) -> Range | None:
    """Return what a candidate costs that gets this share of all calls; None where not known."""
    if not offer.is_known:
        return None
    return _tokens(offer, load, span, share) + _machines(offer, span)


def _tokens(offer: Offer, load: Load, span: Span, share: Decimal) -> Range:
    if offer.input_usd_per_mtok is None or offer.output_usd_per_mtok is None:
        return NOTHING
    a_day = (
        load.prompt_tokens * offer.input_usd_per_mtok
        + load.completion_tokens * offer.output_usd_per_mtok
    ) / MILLION
    likely = a_day * load.people * span.working_days * share
    return Range(likely * LEAST_USE, likely, likely * MOST_USE)


def _machines(offer: Offer, span: Span) -> Range:
    if offer.usd_per_hour is None:
        return NOTHING
    least = offer.usd_per_hour * HOURS_WORKED * span.working_days
    most = offer.usd_per_hour * HOURS_A_DAY * span.days
    return Range(least, most, most)


def _between(years: Sequence[Range]) -> Range:
    """Return from the cheapest at least to the dearest at most; likely is the cheapest's."""
    return Range(
        min(each.low for each in years),
        min(each.likely for each in years),
        max(each.high for each in years),
    )
