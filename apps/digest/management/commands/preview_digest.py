from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from apps.digest.mail import compose, send
from apps.digest.weeks import last_week, monday_of
from apps.pilots.models import Pilot


class Command(BaseCommand):
    help = "Show the weekly summary of a pilot as leads get it. Nothing is noted as sent."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("pilot", help="the pilot's slug")
        parser.add_argument(
            "--week",
            metavar="YYYY-MM-DD",
            help="any day of it; the last whole week",
        )
        parser.add_argument("--html", action="store_true", help="print the HTML part")
        parser.add_argument("--send-to", metavar="ADDRESS", help="send it to this address instead")

    def handle(self, *args: Any, **options: Any) -> None:
        pilot = Pilot.objects.filter(slug=options["pilot"]).first()
        if pilot is None:
            slugs = Pilot.objects.order_by("slug").values_list("slug", flat=True)
            raise CommandError(f"No pilot {options['pilot']}. There is: {', '.join(slugs) or '–'}")
        mail = compose(pilot, _week(options["week"], pilot))
        if options["send_to"]:
            try:
                validate_email(options["send_to"])
            except ValidationError:
                raise CommandError(f"{options['send_to']!r} is no e-mail address.") from None
            send(mail, to=options["send_to"])
            self.stdout.write(f"Sent to {options['send_to']}: {mail.subject}")
        elif options["html"]:
            self.stdout.write(mail.html)
        else:
            self.stdout.write(f"Subject: {mail.subject}\n\n{mail.text}")


def _week(text: str | None, pilot: Pilot) -> date:
    if text is None:
        return last_week(now=timezone.now(), zone=pilot.zone_info)
    try:
        return monday_of(date.fromisoformat(text))
    except ValueError:
        raise CommandError(f"{text!r} is no date; write it as 2026-11-16.") from None
