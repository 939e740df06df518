"""The six figures of a candidate's page that decide. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.figures import money, number, percent, percent_interval, seconds
from apps.dashboard.deltas import Delta
from apps.dashboard.leaderboard import Row
from apps.metrics.queries_days import CandidateDay
from apps.metrics.sums import Figures

Trend = list[float | None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its interval or sample, how it moved, and its trend by day."""

    label: str
    value: str
    note: str
    help: str
    delta: Delta | None
    trend: Trend


def tiles_of(row: Row, days: Sequence[CandidateDay]) -> list[Tile]:
    """Return the six figures that decide, each with its trend by day."""
    figures, usage = row.figures, row.figures.usage
    each = [day.figures for day in days]
    return [
        Tile(
            "Liked",
            percent(usage.liked_share),
            _liked_note(row),
            "Thumbs up, or four stars and more, of the answers that were rated.",
            row.liked_delta,
            [one.usage.liked_share for one in each],
        ),
        Tile(
            "Cost per liked answer",
            money(figures.cost_per_liked_usd),
            f"{money(figures.cost_per_answer_usd)} an answer",
            "What chat, edit and agent calls cost, idle machines included, over the answers that "
            "people like as often as they like the rated ones.",
            row.liked_cost_delta,
            [_float(one.cost_per_answer_usd) for one in each],
        ),
        Tile(
            "Cost per call",
            money(figures.cost_per_call_usd),
            _busy_note(figures),
            "Tokens and machines, idle ones included, over all calls that have a price.",
            row.call_cost_delta,
            [_float(one.cost_per_call_usd) for one in each],
        ),
        Tile(
            "First token, p50",
            seconds(row.first_p50),
            f"p95 {seconds(row.first_p95)}",
            "How long until the answer begins: half of the calls wait no longer than p50, 95 of "
            "100 no longer than p95. The change is that of p95.",
            row.first_delta,
            [one.latency.first_ms(0.5) for one in each],
        ),
        Tile(
            "Tokens per second",
            number(usage.tokens_per_s),
            "once an answer has begun",
            "Tokens written between the first and the last, over finished calls.",
            None,
            [one.usage.tokens_per_s for one in each],
        ),
        Tile(
            "Errors",
            percent(usage.error_share),
            f"{number(usage.failed)} of {number(usage.calls)} calls",
            "Calls that the provider refused, broke off or left without an answer.",
            row.error_delta,
            [one.usage.error_share for one in each],
        ),
    ]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _liked_note(row: Row) -> str:
    rated = number(row.figures.usage.rated)
    if row.figures.has_few_raters:
        return f"rated by fewer than {row.reader.least} people"
    if row.liked is None:
        return f"about {row.ratings_missing} ratings are needed"
    bounds = percent_interval(row.liked.low, row.liked.high)
    more = f"; about {row.ratings_missing} more needed" if row.ratings_missing else ""
    return f"{bounds}, n {rated}{more}"


def _busy_note(figures: Figures) -> str:
    if figures.usage.uncosted:
        return (
            f"of {number(figures.usage.costed)}; {number(figures.usage.uncosted)} without a price"
        )
    if figures.is_hosted:
        return f"{money(figures.busy_cost_per_call_usd)} without idle machines"
    return f"{money(figures.cost_per_mtok_usd)} per million tokens"
