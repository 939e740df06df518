"""The leaderboard as a table for a spreadsheet. Money in USD, shares 0 to 1, durations in ms.

Cells of too few people are empty, which is not zero.
"""

from collections.abc import Iterable, Sequence

from apps.core.csv_export import Cell
from apps.dashboard.leaderboard import Row

HEADER = (
    "rank",
    "candidate",
    "provider",
    "liked",
    "liked_low",
    "liked_high",
    "rated",
    "rateable",
    "calls",
    "failed",
    "uncosted",
    "estimated",
    "active_developers",
    "cost_usd",
    "idle_usd",
    "usd_per_call",
    "usd_per_million_tokens",
    "usd_per_liked_answer",
    "first_token_p50_ms",
    "first_token_p95_ms",
    "total_p50_ms",
    "total_p95_ms",
    "tokens_per_second",
    "measure",
    "quality",
    "quality_low",
    "quality_high",
    "quality_count",
)


def leaderboard_rows(rows: Iterable[Row]) -> list[Sequence[Cell]]:
    return [_cells(row) for row in rows]


def _cells(row: Row) -> Sequence[Cell]:
    figures, usage, liked = row.figures, row.figures.usage, row.liked
    if figures.is_hidden:
        named = (None, row.candidate.name, row.candidate.provider.name)
        cells = dict.fromkeys(HEADER) | dict(zip(HEADER, named, strict=False))
        return tuple((cells | {"active_developers": row.people}).values())
    return (
        row.rank,
        row.candidate.name,
        row.candidate.provider.name,
        round(liked.mid, 4) if liked else None,
        round(liked.low, 4) if liked else None,
        round(liked.high, 4) if liked else None,
        None if figures.has_few_raters else usage.rated,
        usage.rateable,
        usage.calls,
        usage.failed,
        usage.uncosted,
        usage.estimated,
        row.people,
        figures.known_cost_usd,
        figures.idle_cost_usd,
        figures.cost_per_call_usd,
        figures.cost_per_mtok_usd,
        figures.cost_per_liked_usd,
        row.first_p50,
        row.first_p95,
        row.total_p50,
        row.total_p95,
        None if usage.tokens_per_s is None else round(usage.tokens_per_s, 2),
        *_quality(row),
    )


def _quality(row: Row) -> Sequence[Cell]:
    """What the role's primary measure says; `rank` is by it where there is one."""
    if row.role is None or row.place is None or row.place.estimate is None:
        return (row.role.finding.measure if row.role else None, None, None, None, None)
    found = row.place.estimate
    bounds = (round(each, 4) for each in (found.mid, found.low, found.high))
    return (row.role.finding.measure, *bounds, row.place.place.count)
