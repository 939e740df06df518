"""Who may see a view. One place decides, and it says no unless a view says who.

A view declares its readers with one of the decorators below. A view that declares nothing, such as
one that a library brings, is refused unless its URL name is in OPEN_TO_ALL or OPEN_TO_SIGNED_IN.
Administrators who came in by password get their second factor before anything else opens.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from apps.accounts.models import Role, User
from apps.accounts.second_factor import OPEN_WITHOUT_IT, lacks_second_factor

View = TypeVar("View", bound=Callable[..., Any])

ADMINS = frozenset({Role.ADMIN})
LEADS = frozenset({Role.ADMIN, Role.LEAD})
DEVELOPERS = frozenset({Role.ADMIN, Role.LEAD, Role.DEVELOPER})
AGGREGATES = frozenset({Role.ADMIN, Role.LEAD, Role.VIEWER})
EVERYONE_SIGNED_IN = frozenset(Role)

# allauth's views. Sign-up, e-mail change and account linking are not among them: accounts are made
# by invitation.
OPEN_TO_ALL = frozenset(
    {
        "account_login",
        "account_logout",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key",
        "account_reset_password_from_key_done",
        "mfa_authenticate",
        "openid_connect_login",
        "openid_connect_callback",
        "socialaccount_login_error",
        "socialaccount_login_cancelled",
    }
)
OPEN_TO_SIGNED_IN = frozenset(
    {
        "account_change_password",
        "account_reauthenticate",
        "mfa_reauthenticate",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_download_recovery_codes",
    }
)


def allow(roles: frozenset[Role]) -> Callable[[View], View]:
    """Let signed-in users of these roles in."""

    def decorate(view: View) -> View:
        view.allowed_roles = roles  # type: ignore[attr-defined]
        return view

    return decorate


def allow_anyone(view: View) -> View:
    """Let everybody in: sign-in pages, and routes that check a key of their own."""
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def signed_in(request: HttpRequest) -> User:
    """Return the user of a request that AccessMiddleware has let through."""
    assert isinstance(request.user, User)
    return request.user


class AccessMiddleware:
    """Refuse every view that does not name its readers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if getattr(view, "open_to_all", False) or name in OPEN_TO_ALL:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        allowed = getattr(view, "allowed_roles", None)
        if allowed is None and name in OPEN_TO_SIGNED_IN:
            allowed = EVERYONE_SIGNED_IN
        if allowed is None or request.user.role not in allowed:
            raise PermissionDenied
        if not settings.PASSWORD_SIGN_IN and name.startswith("mfa_"):
            raise PermissionDenied  # the identity provider's business; see adapters.py
        if name not in OPEN_WITHOUT_IT and lacks_second_factor(request):
            return redirect("mfa_activate_totp")
        return None


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if htmx := getattr(request, "htmx", None):
        # A redirect would put the sign-in page into a panel of this one.
        page = htmx.current_url_abs_path or "/"
        url = redirect_to_login(page, settings.LOGIN_URL).url
        return HttpResponseClientRedirect(url)
    # Whoever was about to send something comes back to the first page: what they sent is lost.
    page = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return redirect_to_login(page, settings.LOGIN_URL)
