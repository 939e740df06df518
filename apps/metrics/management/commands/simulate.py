from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.metrics.stats.printed import PILOTS, tables, timings


class Command(BaseCommand):
    help = (
        "Try the statistics on made-up pilots and print what they reach: the chance of a verdict, "
        "false winners, how often intervals hold the truth. Touches no data; under a minute. Fails "
        "where something takes longer than it may."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--pilots", type=int, default=PILOTS, help=f"how many a figure; {PILOTS:,} if left"
        )

        parser.add_argument(
            "--no-times", action="store_true", help="leave out how long things take"
        )

    def handle(self, *, pilots: int, no_times: bool, **_: Any) -> None:
        for line in tables(pilots=max(pilots, 1)):
            self.stdout.write(line)
        found = [] if no_times else list(timings())
        for timing in found:
            self.stdout.write(str(timing))
        if any(timing.is_slow for timing in found):
            raise CommandError("Something takes longer than it may.")
