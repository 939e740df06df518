"""The weekly summary as a mail: its subject, its text, and the same as simple HTML."""

from dataclasses import dataclass
from datetime import date

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from apps.digest.summary import weekly_summary
from apps.pilots.models import Pilot


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str


def compose(pilot: Pilot, week: date) -> Mail:
    """Write a pilot's week, named by its Monday. The same for every reader."""
    context = {"summary": weekly_summary(pilot, week)}
    return Mail(
        # A name may hold a line break, a header must not.
        subject=" ".join(render_to_string("digest/weekly_subject.txt", context).split()),
        text=render_to_string("digest/weekly.txt", context),
        html=render_to_string("digest/weekly.html", context),
    )


def send(mail: Mail, *, to: str) -> None:
    """Hand a mail over. Raises what the mail server answers, and BadHeaderError."""
    message = EmailMultiAlternatives(
        mail.subject, mail.text, to=[to], headers={"Auto-Submitted": "auto-generated"}
    )
    message.attach_alternative(mail.html, "text/html")
    message.send()
