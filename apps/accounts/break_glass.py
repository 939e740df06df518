"""A way in for an administrator when sign-in itself is broken, from the server's own console."""

from datetime import datetime, timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.crypto import salted_hmac

from apps.accounts import audit
from apps.accounts.models import Role, User

LASTS: Final = timedelta(minutes=15)
SALT: Final = "apps.accounts.break_glass"


class NotAnAdministrator(Exception):
    """There is no active administrator with this e-mail."""


@transaction.atomic
def make_link(*, email: str, drop_second_factor: bool, now: datetime) -> str:
    """Return an address that signs an administrator in once, within 15 minutes.

    Raises NotAnAdministrator.
    """
    user = User.objects.filter(email=email.strip().lower(), role=Role.ADMIN, is_active=True).first()
    if user is None:
        raise NotAnAdministrator(email)
    if drop_second_factor:
        Authenticator.objects.filter(user=user).delete()
    detail = {"second_factor_dropped": drop_second_factor}
    audit.record_person(None, "break-glass link made", user.person, detail, now)
    token = signing.dumps([user.id, _stamp(user)], salt=SALT)
    return settings.SITE_URL + reverse("break_glass_sign_in", args=[token])


def user_of(token: str) -> User | None:
    """Return whom a link signs in, or None if it is used, too old or not ours."""
    try:
        user_id, stamp = signing.loads(token, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return None
    user = User.objects.filter(id=user_id, role=Role.ADMIN, is_active=True).first()
    return user if user is not None and stamp == _stamp(user) else None


@transaction.atomic
def use(*, user: User, password: str | None, now: datetime) -> None:
    """Note that a link is used, and set a new password if one is given."""
    if password:
        user.set_password(password)
        user.save(update_fields=["password"])
    detail = {"new_login": bool(password)}
    audit.record_person(user.person, "break-glass link used", user.person, detail, now)


def _stamp(user: User) -> str:
    # Signing in changes last_login, so that a link works once.
    state = f"{user.password}:{user.last_login}:{user.sign_outs}"
    return salted_hmac(SALT, state, algorithm="sha256").hexdigest()[:32]
