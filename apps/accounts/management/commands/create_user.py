import sys
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.utils import timezone

from apps.accounts.actions import EmailTaken, create_user
from apps.accounts.models import Role, User


class Command(BaseCommand):
    help = "Make a user. The password is asked for, or read from the first line of standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--role", choices=Role.values, default=Role.DEVELOPER.value)
        parser.add_argument(
            "--no-password", action="store_true", help="for somebody who uses single sign-on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email, name = options["email"], options["name"]
        try:
            validate_email(email)
            password = None if options["no_password"] else self._password(User(email=email))
            create_user(
                email=email,
                name=name,
                role=options["role"],
                password=password,
                now=timezone.now(),
            )
        except ValidationError as faults:
            raise CommandError(" ".join(faults.messages)) from None
        except EmailTaken:
            raise CommandError("Somebody signs in with this e-mail already.") from None
        self.stdout.write(f"{email} can sign in as {options['role']}.")

    def _password(self, user: User) -> str:
        # Never an argument: those stand in the list of processes.
        password = getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
        validate_password(password, user)
        return password
