from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.accounts.break_glass import NotAnAdministrator, make_link


class Command(BaseCommand):
    help = "Print a link that signs an administrator in once, within 15 minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the administrator's")
        parser.add_argument(
            "--drop-second-factor", action="store_true", help="for a phone that is lost"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            link = make_link(
                email=options["email"],
                drop_second_factor=options["drop_second_factor"],
                now=timezone.now(),
            )
        except NotAnAdministrator:
            raise CommandError("There is no active administrator with this e-mail.") from None
        self.stdout.write(link)
