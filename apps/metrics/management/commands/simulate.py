from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.metrics.stats.printed import PILOTS, tables


class Command(BaseCommand):
    help = (
        "Try the statistics on made-up pilots and print what they reach: the chance of a verdict, "
        "false winners, how often intervals hold the truth. Touches no data; under a minute."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--pilots", type=int, default=PILOTS, help=f"how many a figure; {PILOTS:,} if left"
        )

    def handle(self, *, pilots: int, **_: Any) -> None:
        for line in tables(pilots=max(pilots, 1)):
            self.stdout.write(line)
