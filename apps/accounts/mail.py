"""Invitations by mail. The link in them is a secret: it goes to the addressee and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.models import Invitation, Role

# These write mails where everybody who reads the log could take the links.
NO_REAL_MAIL = (
    "django.core.mail.backends.console.EmailBackend",
    "django.core.mail.backends.dummy.EmailBackend",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """An invitation and its link, which exists nowhere else."""

    invitation: Invitation
    link: str


def letter(invitation: Invitation, token: str) -> Letter:
    return Letter(invitation, join_link(token))


def join_link(token: str) -> str:
    """Return the absolute address of an invitation."""
    return settings.SITE_URL + reverse("join", args=[token])


def is_set_up() -> bool:
    """Tell whether mails leave this machine."""
    return settings.EMAIL_BACKEND not in NO_REAL_MAIL


def send_invitations(letters: Sequence[Letter], *, inviter: str) -> bool:
    """Send each letter to its addressee; False where the mail server did not take them.

    No transaction may be open: the server may take its time.
    """
    messages = [_message(letter, inviter) for letter in letters]
    try:
        get_connection().send_messages(messages)
    except (OSError, SMTPException):
        return False
    return True


def _message(letter: Letter, inviter: str) -> EmailMultiAlternatives:
    context = {
        "inviter": inviter,
        "link": letter.link,
        "role": Role(letter.invitation.role).label.lower(),
        "expires_at": letter.invitation.expires_at,
        "site": settings.SITE_URL,
    }
    # A name may hold anything; a header holds one line.
    subject = " ".join(render_to_string("accounts/email/invitation_subject.txt", context).split())
    text = render_to_string("accounts/email/invitation_message.txt", context)
    message = EmailMultiAlternatives(subject, text, None, [letter.invitation.email])
    html = render_to_string("accounts/email/invitation_message.html", context)
    message.attach_alternative(html, "text/html")
    return message
