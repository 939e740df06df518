"""The one period picker of every page: what the query string asks for, and links to ask else.

`?days=7|14|28|pilot`, or `from=` and `to=` as dates, both included. A period in a URL is a wish:
one that makes no sense becomes the default, one that reaches beyond the pilot or today is cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import QueryDict

from apps.core.periods import DAY, Period, day_of, floor_quarter, period_of_days, start_of_day

WHOLE: Final = "pilot"
DEFAULT_DAYS: Final = 14
CHOICES: Final = {"7": "7 d", "14": "14 d", "28": "28 d", WHOLE: "Whole pilot"}
COMPARISONS: Final = {
    "previous": "the days before",
    "weekdays": "the same weekdays before",
    "none": "nothing",
}
# Ours, and the places in a list that another period would not have.
_DROPPED: Final = {"days", "from", "to", "after", "before", "page"}


@dataclass(frozen=True, slots=True)
class Option:
    """One link of the picker."""

    label: str
    url: str
    current: bool


class PeriodChoice:
    """The days of a pilot that a page is about: whole days of the zone, never beyond today.

    `pilot_period` is the pilot's own; `zone` the one its days are told in.
    """

    def __init__(
        self, params: Mapping[str, str], pilot_period: Period, zone: ZoneInfo, now: datetime
    ) -> None:
        self._params = params
        self._zone = zone
        self._now = now
        self._pilot = pilot_period
        self.pilot_first = day_of(pilot_period.start, zone)
        end = max(pilot_period.start, pilot_period.end - timedelta(microseconds=1))
        self.pilot_last = day_of(end, zone)
        self.today = min(max(day_of(now, zone), self.pilot_first), self.pilot_last)
        typed = self._typed()
        if typed is None:
            self.days = self._days()
            self.first, self.last = self._last_days(self.days)
        else:
            self.days = ""
            self.first, self.last = typed

    def _days(self) -> str:
        asked = self._params.get("days", "")
        if asked in CHOICES:
            return asked
        length = (self.today - self.pilot_first).days + 1
        return WHOLE if self.is_over or length <= DEFAULT_DAYS else str(DEFAULT_DAYS)

    def _last_days(self, days: str) -> tuple[date, date]:
        if days == WHOLE:
            return self.pilot_first, self.today
        return max(self.pilot_first, self.today - (int(days) - 1) * DAY), self.today

    def _typed(self) -> tuple[date, date] | None:
        try:
            first = date.fromisoformat(self._params.get("from", ""))
            last = date.fromisoformat(self._params.get("to", "") or self.today.isoformat())
        except ValueError:
            return None
        first, last = max(first, self.pilot_first), min(last, self.today)
        return (first, last) if first <= last else None

    @property
    def is_custom(self) -> bool:
        return self.days == ""

    @property
    def is_over(self) -> bool:
        """Whether the pilot has ended."""
        return self._now >= self._pilot.end

    @property
    def length_days(self) -> int:
        return (self.last - self.first).days + 1

    @cached_property
    def period(self) -> Period:
        return period_of_days(self.first, self.last, self._zone)

    @property
    def is_open(self) -> bool:
        """Whether time still passes in it."""
        return self.period.end > self._now

    @property
    def dates(self) -> str:
        return span_of_days(self.first, self.last)

    @property
    def label(self) -> str:
        """The period within a sentence: "the last 14 days", "the whole pilot", "2–9 Nov"."""
        if self.is_custom:
            return self.dates
        if self.days == WHOLE:
            return "the whole pilot" if self.is_over else "the whole pilot so far"
        return f"the last {self.length_days} days" if self.length_days > 1 else "one day"

    @property
    def query(self) -> str:
        """The period alone, as a query string, for links to other pages."""
        return self._typed_query(self.first, self.last) if self.is_custom else f"days={self.days}"

    @staticmethod
    def _typed_query(first: date, last: date) -> str:
        return urlencode({"from": first.isoformat(), "to": last.isoformat()})

    @cached_property
    def kept(self) -> list[tuple[str, str]]:
        """The page's other parameters, which every link of the picker repeats."""
        lists = (
            self._params.lists()
            if isinstance(self._params, QueryDict)
            else ((key, [value]) for key, value in self._params.items())
        )
        return [
            (key, str(value)) for key, values in lists if key not in _DROPPED for value in values
        ]

    def _url(self, query: str) -> str:
        return "?" + "&".join(part for part in (query, urlencode(self.kept)) if part)

    @property
    def options(self) -> list[Option]:
        return [
            Option(label, self._url(f"days={days}"), self.days == days)
            for days, label in CHOICES.items()
        ]

    @property
    def earlier(self) -> str | None:
        """A link to the days before these, or None at the pilot's start."""
        if self.first <= self.pilot_first:
            return None
        return self._moved(-self.length_days)

    @property
    def later(self) -> str | None:
        if self.last >= self.today:
            return None
        return self._moved(self.length_days)

    def _moved(self, days: int) -> str:
        # Keeps its length at the ends, so that the arrows can be pressed on.
        first = max(self.pilot_first, self.first + days * DAY)
        last = min(self.today, first + (self.length_days - 1) * DAY)
        return self._url(self._typed_query(first, last))

    @property
    def compare(self) -> str:
        asked = self._params.get("compare", "")
        return asked if asked in COMPARISONS else "previous"

    @property
    def compare_options(self) -> list[Option]:
        return [
            Option(f"With {words}", self.link("compare", key), self.compare == key)
            for key, words in COMPARISONS.items()
        ]

    def link(self, name: str, value: str) -> str:
        """Return this period with another parameter changed, or taken away by an empty value."""
        others = [(key, text) for key, text in self.kept if key != name]
        changed = [*others, (name, value)] if value else others
        return "?" + "&".join(part for part in (self.query, urlencode(changed)) if part)

    @cached_property
    def previous(self) -> Period | None:
        """What to compare with: as long, and cut at the same time of day as now where today is in
        it, so that half a day is never compared with a whole one. None before the pilot began.
        """
        if self.compare == "none":
            return None
        days = self.length_days
        shift = (days if self.compare == "previous" else -(-days // 7) * 7) * DAY
        end = start_of_day(self.last - shift + DAY, self._zone)
        if self.period.start <= self._now < self.period.end:
            local = self._now.astimezone(self._zone).replace(tzinfo=None) - shift
            end = floor_quarter(local.replace(tzinfo=self._zone))
        start = max(start_of_day(self.first - shift, self._zone), self._pilot.start)
        return Period(start, end) if start < end else None

    @property
    def previous_dates(self) -> str:
        if self.previous is None:
            return ""
        last = self.previous.end - timedelta(microseconds=1)
        return span_of_days(day_of(self.previous.start, self._zone), day_of(last, self._zone))


def span_of_days(first: date, last: date) -> str:
    """Write two days, both included: 9–22 Nov, 28 Oct – 4 Nov."""
    if first == last:
        return f"{first.day} {first:%b}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%b}"
    return f"{first.day} {first:%b} – {last.day} {last:%b}"
