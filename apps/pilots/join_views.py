"""The page behind a join link: a signed-in user presses Join, somebody new makes an account.

What it answers is the same whether an address is somebody's or nobody's. Where mail is set up, an
address is proven by a letter; where it is not, whoever joins chooses a password and signs in.
"""

from smtplib import SMTPException

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import mail
from apps.accounts.access import allow_anyone
from apps.accounts.forms import JoinForm
from apps.accounts.models import User
from apps.pilots import join_links
from apps.pilots.models import JoinLink
from apps.pilots.plan_forms import AskToJoinForm
from apps.pilots.plan_queries import residences_of
from apps.pilots.refusals import attempt
from apps.pilots.trail import PilotClosed


@require_http_methods(["GET", "HEAD", "POST"])
@allow_anyone  # whoever holds the link
@never_cache
@sensitive_post_parameters("password", "repeated")
def join_pilot(request: HttpRequest, token: str) -> HttpResponse:
    """Take part in the pilot of a link."""
    if not ratelimit.consume(request, action="join_pilot", key=token):
        return ratelimit.respond_429(request)
    link = join_links.join_link_of(token)
    user = request.user if isinstance(request.user, User) else None
    if link is not None and user is not None and join_links.takes_part(link, user):
        messages.success(request, f"You take part in {link.pilot.name}.")
        return redirect(settings.LOGIN_REDIRECT_URL)
    if link is None or not join_links.is_open(link, now=timezone.now()):
        return render(request, "accounts/join_closed.html", status=410)
    if user is not None:
        return _join(request, link, token, user)
    return _join_anew(request, link, token)


def address_of(token: str) -> str:
    """Return the absolute address of a link."""
    return settings.SITE_URL + reverse("join_pilot", args=[token])


def _join(request: HttpRequest, link: JoinLink, token: str, user: User) -> HttpResponse:
    """One button for somebody who signs in here."""
    if request.method == "POST":
        try:
            join_links.join_by_link(link=link, user=user, now=timezone.now())
        except join_links.WrongDomain:
            messages.error(request, f"This link is not for {user.email}.")
        except (join_links.LinkNotOpen, PilotClosed):
            # The last one joined, or it was revoked or closed, since the page was looked up.
            return render(request, "accounts/join_closed.html", status=410)
        else:
            messages.success(request, f"You take part in {link.pilot.name}.")
            return redirect(settings.LOGIN_REDIRECT_URL)
    return _page(request, link, {"joiner": user})


def _join_anew(request: HttpRequest, link: JoinLink, token: str) -> HttpResponse:
    """A form for somebody new, as far as this installation has a way in for them."""
    here = reverse("join_pilot", args=[token])
    back = urlencode({"next": here})
    context: dict[str, object] = {"sign_in": f"{reverse('account_login')}?{back}"}
    if settings.SINGLE_SIGN_ON:
        oidc = reverse("openid_connect_login", args=["oidc"])
        context["single_sign_on"] = f"{oidc}?{back}"
    if not settings.PASSWORD_SIGN_IN:
        return _page(request, link, context)
    data = request.POST if request.method == "POST" else None
    if mail.is_set_up():
        ask = AskToJoinForm(data)
        if ask.is_valid() and attempt(ask, lambda: _sent(link, ask.cleaned_data["email"])):
            return _page(request, link, {"asked": ask.cleaned_data["email"]})
        return _page(request, link, context | {"form": ask, "by_mail": True})
    form = JoinForm(data, user=User(), asks_email=True, asks_password=True)
    if form.is_valid() and attempt(form, lambda: _signed_up(link, form)):
        messages.success(
            request,
            "If nobody had this address yet, its account is there now. Sign in with the password "
            "you chose, or with the one that you had.",
        )
        return redirect(str(context["sign_in"]))
    return _page(request, link, context | {"form": form})


def _signed_up(link: JoinLink, form: JoinForm) -> bool:
    told = {name: form.cleaned_data[name] for name in ("email", "name", "password")}
    join_links.sign_up_by_link(link=link, now=timezone.now(), **told)
    return True


def _sent(link: JoinLink, email: str) -> bool:
    """Send a letter to an address, whether it is somebody's or not. Raises WrongDomain."""
    letter = join_links.invite_by_link(link=link, email=email, now=timezone.now())
    if letter is not None:
        mail.send_invitations([letter], inviter=link.pilot.name)
        return True
    context = {"pilot": link.pilot, "site": settings.SITE_URL}
    text = render_to_string("pilots/email/joins_already_message.txt", context)
    try:
        send_mail("PilotDash: you asked to join a pilot", text, None, [email])
    except (OSError, SMTPException):
        return True  # as silent as a letter that was not taken
    return True


def _page(request: HttpRequest, link: JoinLink, context: dict[str, object]) -> HttpResponse:
    told = {"link": link, "pilot_to_join": link.pilot, "residences": residences_of(link.pilot)}
    return render(request, "pilots/join_pilot.html", told | context)
