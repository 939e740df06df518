from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.core.periods import Period, start_of_day
from apps.metrics.rebuild import rebuild_period


class Command(BaseCommand):
    help = (
        "Rebuild the derived rows of a period from calls, ratings, prices and hosting: every "
        "quarter-hour in it, and the days of the site's time zone that these lie in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        when = "an ISO date, which begins at midnight in the site's time zone, or an ISO date and "
        when += "time with an offset"
        parser.add_argument("--from", dest="start", type=instant, required=True, help=when)
        parser.add_argument("--to", dest="end", type=instant, help=f"{when}; excluded; now if left")

    def handle(self, *, start: datetime, end: datetime | None, **_: Any) -> None:
        now = timezone.now()
        try:
            period = Period(start, now if end is None else end)
        except ValueError as problem:
            raise CommandError(str(problem)) from None
        done = rebuild_period(period, now=now)
        self.stdout.write(
            f"Rebuilt {done.quarters} quarter-hours from {period.start:%Y-%m-%d %H:%M} to "
            f"{period.end:%Y-%m-%d %H:%M} UTC, and their days."
        )
        if done.left_alone:
            self.stdout.write(
                f"Left {done.left_alone} quarter-hours as they are: their calls are kept no more."
            )


def instant(text: str) -> datetime:
    """Read an ISO date or an ISO date and time; raises ArgumentTypeError."""
    try:
        if len(text) == len("2026-11-18"):
            return start_of_day(date.fromisoformat(text), ZoneInfo(settings.TIME_ZONE))
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an ISO date or time") from None
    if at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no offset; add one, such as Z or +01:00")
    return at.astimezone(UTC)
