"""Administrators who sign in with a password have a second factor; nothing opens before that."""

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from apps.accounts.models import Role, User

# What somebody without a second factor needs to get one, or to leave.
OPEN_WITHOUT_IT = frozenset(
    {"mfa_activate_totp", "account_reauthenticate", "mfa_reauthenticate", "account_logout"}
)


def must_have_second_factor(user: User) -> bool:
    """Tell whether this user's role asks for one whenever a password lets them in."""
    return user.role == Role.ADMIN and not user.totp_exempt and user.has_usable_password()


def lacks_second_factor(request: HttpRequest) -> bool:
    """Tell whether this session came in by password alone although a second factor is due."""
    user = request.user
    if not isinstance(user, User) or not must_have_second_factor(user):
        return False
    methods = {entry["method"] for entry in get_authentication_records(request, user)}
    if "password" not in methods or "mfa" in methods:
        return False
    return not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()
