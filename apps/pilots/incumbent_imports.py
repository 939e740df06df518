"""Reading what other tools report: a CSV of days, and the JSON that GitHub gives of Copilot. Pure.

GitHub has had two shapes. The older, "Copilot metrics", is a list of days with counts by editor,
model and language. The newer, "Copilot usage metrics", has them by feature, as one report with
`day_totals`, or one day a line. Counts are added up; names of people are never read.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from apps.pilots.incumbents import ToolDay

COLUMNS: Final = ("day", "active_people", "shown", "accepted", "chats")
DAYS_MOST: Final = 1_000
COUNT_MOST: Final = 2**31 - 1
COMPLETION: Final = "code_completion"
CHAT: Final = "chat"


class Unreadable(Exception):
    """`problems` say, by line or by day, what could not be read."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


def read_days(text: str) -> tuple[list[ToolDay], str]:
    """Return the days of a CSV or of GitHub's JSON, and which it was. Raises Unreadable."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if not start:
        raise Unreadable(["There is nothing in it."])
    if start in "[{":
        return _checked(_copilot_days(text.lstrip("\ufeff"))), "copilot"
    return _checked(_csv_days(text.lstrip("\ufeff"))), "csv"


def _checked(found: Iterable[tuple[str, ToolDay | str]]) -> list[ToolDay]:
    """Return the days, or raise all that is wrong with them, each with where it stands."""
    days, problems = [], []
    for where, each in found:
        if isinstance(each, str):
            problems.append(f"{where}: {each}")
        elif not each.is_possible:
            problems.append(f"{where}: more accepted than shown.")
        else:
            days.append(each)
    if not days and not problems:
        problems.append("There are no days in it.")
    if len(days) > DAYS_MOST:
        problems.append(f"At most {DAYS_MOST:,} days at a time.")
    if problems:
        raise Unreadable(problems[:10])
    return days


def _csv_days(text: str) -> Iterator[tuple[str, ToolDay | str]]:
    first = text.splitlines()[0]
    separator = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as problem:
        raise Unreadable([f"This is no CSV: {problem}."]) from None
    header = [name.strip().lower() for name in rows[0]]
    unknown = [name for name in header if name not in COLUMNS]
    if "day" not in header or unknown or len(set(header)) < len(header):
        wrong = f"; not known: {', '.join(unknown)[:100]}" if unknown else ""
        raise Unreadable([f"Line 1: the columns are {', '.join(COLUMNS)}; day is needed{wrong}."])
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            yield f"Line {number}", f"{len(row)} fields under {len(header)} columns."
            continue
        yield f"Line {number}", _day_of(dict(zip(header, row, strict=True)))


def _day_of(cells: Mapping[str, str]) -> ToolDay | str:
    day = _date(cells["day"].strip())
    if day is None:
        return f"“{cells['day'][:40]}” is no day; write it like 2026-11-18."
    counts: dict[str, int | None] = {}
    for name in COLUMNS[1:]:
        text = cells.get(name, "").strip()
        # The length first: digits without end take their time to become a number.
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(COUNT_MOST))
        if text and not (is_number and int(text) <= COUNT_MOST):
            return f"“{text[:40]}” is no count under {name}."
        counts[name] = int(text) if text else None
    return ToolDay(day, **counts)


def _copilot_days(text: str) -> Iterator[tuple[str, ToolDay | str]]:
    for number, record in enumerate(_records(text), start=1):
        where = f"Day {number}"
        if not isinstance(record, dict):
            yield where, "not an object."
        elif "user_login" in record or "user_id" in record:
            yield where, "a report of single people; take the organization's."
        else:
            written = record.get("date", record.get("day"))
            day = _date(written) if isinstance(written, str) else None
            if day is None:
                yield where, "no date or day in it."
                continue
            try:
                read = _new if "day" in record else _old
                yield f"{where} ({day})", read(day, record)
            except (TypeError, ValueError, AttributeError):
                yield f"{where} ({day})", "counts are not where Copilot's reports have them."


def _records(text: str) -> list[Any]:
    """Return the days of a list, of reports with `day_totals`, or of one object a line."""
    try:
        found = json.loads(text)
    except RecursionError:
        raise Unreadable(["This JSON is nested too deeply."]) from None
    except ValueError as whole:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise Unreadable([f"This is no JSON: {whole}."]) from None
    records = found if isinstance(found, list) else [found]
    return [day for record in records for day in _opened(record)]


def _opened(record: Any) -> list[Any]:
    if isinstance(record, dict) and isinstance(record.get("day_totals"), list):
        totals: list[Any] = record["day_totals"]
        return totals
    return [record]


def _old(day: date, record: dict[str, Any]) -> ToolDay:
    completions = [
        language
        for model in _models(record.get("copilot_ide_code_completions"))
        for language in model.get("languages") or []
    ]
    chats = list(_models(record.get("copilot_ide_chat")))
    return ToolDay(
        day=day,
        active_people=_count(record.get("total_active_users")),
        shown=_sum(completions, "total_code_suggestions"),
        accepted=_sum(completions, "total_code_acceptances"),
        chats=_sum(chats, "total_chats"),
    )


def _models(part: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    for editor in (part or {}).get("editors") or []:
        yield from editor.get("models") or []


def _new(day: date, record: dict[str, Any]) -> ToolDay:
    features = record.get("totals_by_feature") or []
    completions = [each for each in features if each.get("feature") == COMPLETION]
    chats = [each for each in features if str(each.get("feature", "")).startswith(CHAT)]
    return ToolDay(
        day=day,
        active_people=_count(record.get("daily_active_users")),
        shown=_sum(completions, "code_generation_activity_count"),
        accepted=_sum(completions, "code_acceptance_activity_count"),
        chats=_sum(chats, "user_initiated_interaction_count"),
    )


def _sum(parts: Iterable[dict[str, Any]], name: str) -> int | None:
    """Add up what is told; None where nothing is."""
    told = [count for part in parts if (count := _count(part.get(name))) is not None]
    return _count(sum(told)) if told else None


def _count(value: Any) -> int | None:
    """Return a count as it is. Raises ValueError on anything that is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= COUNT_MOST:
        raise ValueError(value)
    return value


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if len(text) >= len("2026-11-18") else None
    except ValueError:
        return None
