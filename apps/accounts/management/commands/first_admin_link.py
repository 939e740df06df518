from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.accounts.actions import invite_first_administrator
from apps.accounts.mail import join_link


class Command(BaseCommand):
    help = "Print the link that makes the first administrator; nothing if there is one already."

    def handle(self, *args: Any, **options: Any) -> None:
        token = invite_first_administrator(now=timezone.now())
        if token is not None:
            self.stdout.write(join_link(token))
