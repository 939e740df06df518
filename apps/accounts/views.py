"""Joining by invitation, one's own account, and the way in when sign-in is broken."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.socialaccount.providers.openid_connect.views import login as allauth_login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from apps.accounts import actions, break_glass, departures
from apps.accounts.access import EVERYONE_SIGNED_IN, allow, allow_anyone, signed_in
from apps.accounts.forms import JoinForm, NameForm, NewPasswordForm
from apps.accounts.models import Role, User
from apps.accounts.queries import open_invitation
from apps.accounts.second_factor import must_have_second_factor


@require_http_methods(["GET", "HEAD", "POST"])
@allow_anyone  # whoever holds the link
@never_cache
@sensitive_post_parameters("password", "repeated")
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation, and be signed in."""
    invitation = open_invitation(token, now=timezone.now())
    if invitation is None:
        return render(request, "accounts/join_closed.html", status=410)
    form = JoinForm(
        request.POST if request.method == "POST" else None,
        user=User(email=invitation.email),
        asks_email=not invitation.email,
        asks_password=settings.PASSWORD_SIGN_IN,
    )
    if request.method == "POST" and form.is_valid():
        user = _joined(token, form)
        if user is not None:
            _let_in(request, user, "password" if settings.PASSWORD_SIGN_IN else "invitation")
            return redirect(settings.LOGIN_REDIRECT_URL)
    context = {"form": form, "invitation": invitation, "role": Role(invitation.role).label.lower()}
    return render(request, "accounts/join.html", context)


def _joined(token: str, form: JoinForm) -> User | None:
    told = form.cleaned_data
    try:
        return actions.accept_invitation(
            token=token,
            email=told.get("email", ""),
            name=told["name"],
            password=told.get("password"),
            now=timezone.now(),
        )
    except actions.InvitationNotOpen:
        form.add_error(None, "This invitation has just been used or revoked.")
    except actions.EmailTaken:
        form.add_error(None, "Somebody signs in with this address already. Sign in instead.")
    return None


def _let_in(request: HttpRequest, user: User, method: str) -> None:
    get_adapter(request).login(request, user)
    record_authentication(request, user, method)


@require_http_methods(["GET", "HEAD", "POST"])
@allow_anyone  # whoever holds the link
@never_cache
@sensitive_post_parameters("password", "repeated")
def break_glass_sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Sign an administrator in by a link from the server's console."""
    user = break_glass.user_of(token)
    if user is None:
        return render(request, "accounts/join_closed.html", status=410)
    form = NewPasswordForm(request.POST if request.method == "POST" else None, user=user)
    form.fields["password"].required = form.fields["repeated"].required = False
    if request.method == "POST" and form.is_valid():
        break_glass.use(user=user, password=form.cleaned_data["password"], now=timezone.now())
        _let_in(request, user, "break_glass")
        return redirect("account")
    return render(request, "accounts/break_glass_sign_in.html", {"form": form, "email": user.email})


@require_safe
@allow_anyone
def openid_connect_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Start single sign-on. The library's own view does not expect the provider to be away."""
    try:
        response: HttpResponse = allauth_login(request, provider_id)
    except (RequestException, KeyError):
        return render(request, "socialaccount/authentication_error.html", status=502)
    return response


@require_safe
@allow(EVERYONE_SIGNED_IN)
def account(request: HttpRequest) -> HttpResponse:
    """One's own name, password, second factor and sessions."""
    return _account_page(request, NameForm(initial={"name": signed_in(request).name}))


@require_POST
@allow(EVERYONE_SIGNED_IN)
def rename_yourself(request: HttpRequest) -> HttpResponse:
    form = NameForm(request.POST)
    if not form.is_valid():
        return _account_page(request, form)
    actions.rename(user=signed_in(request), name=form.cleaned_data["name"])
    messages.success(request, "Your name is changed.")
    return redirect("account")


@require_POST
@allow(EVERYONE_SIGNED_IN)
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions, this one too: a stolen one might be the one that clicks."""
    user = signed_in(request)
    departures.sign_out_everywhere(user=user, actor=user.person, now=timezone.now())
    return redirect("account_login")


def _account_page(request: HttpRequest, form: NameForm) -> HttpResponse:
    user = signed_in(request)
    has_totp = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
    context = {
        "form": form,
        "has_totp": has_totp,
        "must_have_totp": must_have_second_factor(user),
        "has_password": settings.PASSWORD_SIGN_IN and user.has_usable_password(),
        "role": Role(user.role).label,
        "pseudonym": user.person.pseudonym,
    }
    return render(request, "accounts/account.html", context)
