from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from pilotdash.demo.seed import timed_seed


class Command(BaseCommand):
    help = "Make the demo's sample pilots, once for each data folder."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(timed_seed(settings.DATA, now=timezone.now()))
