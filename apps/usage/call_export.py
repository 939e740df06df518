"""The list of calls as a table for a spreadsheet. Money in USD, durations in milliseconds."""

from typing import Final

from apps.core.csv_export import Cell
from apps.usage.call_page import hour_of
from apps.usage.queries import CallRow
from apps.usage.sight import Sight

# A file that spreadsheets open at once, made in about a second.
MOST_ROWS: Final = 10_000
_FACTS: Final = (
    "candidate",
    "stood_in_for",
    "provider",
    "model_sent",
    "blind",
    "task",
    "endpoint",
    "outcome",
    "status",
    "streamed",
    "first_byte_ms",
    "first_content_ms",
    "total_ms",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "tokens_from",
    "estimated",
    "cost_usd",
    "cost_basis",
    "attempts",
    "problem",
)


def header(sight: Sight) -> list[str]:
    """Return the names of the columns: who and exactly when only to those who may know."""
    if sight.hour_only:
        return ["hour", *_FACTS]
    return ["call", "admitted_at_utc", *(["person"] if sight.sees_names else []), *_FACTS]


def cells(row: CallRow, sight: Sight) -> list[Cell]:
    return [*_who_and_when(row, sight), *_facts(row)]


def _who_and_when(row: CallRow, sight: Sight) -> list[Cell]:
    if sight.hour_only:
        return [f"{hour_of(row, sight.zone):%Y-%m-%d %H:%M}"]
    person: list[Cell] = [row.person] if sight.sees_names else []
    return [str(row.call.id), f"{row.call.admitted_at:%Y-%m-%d %H:%M:%S.%f}"[:-3], *person]


def _facts(row: CallRow) -> list[Cell]:
    call = row.call
    if row.candidate is None:
        told: dict[str, Cell] = {
            "model_sent": call.alias,
            "blind": "yes",
            "task": call.task,
            "endpoint": call.endpoint,
            "outcome": call.outcome,
            "streamed": "yes" if call.streamed else "no",
        }
        return [told.get(name, "") for name in _FACTS]
    return [
        row.candidate.name,
        row.stood_in_for.name if row.stood_in_for else "",
        row.candidate.provider.name,
        call.alias,
        "no",
        call.task,
        call.endpoint,
        call.outcome,
        call.status,
        "yes" if call.streamed else "no",
        call.first_byte_ms,
        call.first_content_ms,
        call.total_ms,
        call.prompt_tokens,
        call.cached_tokens,
        call.completion_tokens,
        call.usage_source,
        "yes" if row.is_estimated else "no",
        call.cost_usd,
        cost_basis(row),
        len(call.attempts),
        call.error,
    ]


def cost_basis(row: CallRow) -> str:
    """Say what a call's cost follows from: a machine paid by the hour is not in `cost_usd`."""
    if row.is_hosted:
        return "machine by the hour" if row.call.cost_usd is None else "tokens and machine"
    return "no price" if row.is_uncosted else "tokens"
