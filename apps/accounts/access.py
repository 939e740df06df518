"""Who may see a view. One place decides, and it says no unless a view says who.

A view declares its readers with one of the decorators below. A view that declares nothing, such as
one that a library brings, is refused unless its URL name is in OPEN_TO_ALL or OPEN_TO_SIGNED_IN.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.accounts.models import Role, User

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
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        allowed = getattr(view, "allowed_roles", None)
        if allowed is None and name in OPEN_TO_SIGNED_IN:
            allowed = EVERYONE_SIGNED_IN
        if allowed is None or request.user.role not in allowed:
            raise PermissionDenied
        return None
