from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.catalog.actions import rotate_credentials
from apps.core.secrets import CannotOpen


class Command(BaseCommand):
    help = (
        "Seals every provider's credential again with the first of PILOTDASH_ENCRYPTION_KEYS. "
        "Put a new key first, restart everything, run this, then remove the old key."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = rotate_credentials(now=timezone.now())
        except CannotOpen as problem:
            raise CommandError(f"Nothing was changed: {problem}.") from None
        self.stdout.write(f"{count} credentials sealed with the newest key.")
