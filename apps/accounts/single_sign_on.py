"""What an identity provider's claims mean here: which user, and in which role."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.actions import join_by_single_sign_on
from apps.accounts.departures import LastAdministrator, change_role
from apps.accounts.models import Role, User

Claims = Mapping[str, Any]


class Unacceptable(Exception):
    """The provider's answer lets nobody in. The message says why, for the person at the door."""


def user_vouched_for(extra_data: Claims, *, known: User | None, now: datetime) -> User:
    """Return the user for a provider's answer (`userinfo` and `id_token` claims).

    `known` is the user who came in under the same subject before. Somebody new is found by their
    verified e-mail or made. Where the operator named a claim, it decides the role.

    Raises Unacceptable.
    """
    claims = _merged(extra_data)
    role = role_claimed(claims, settings.OIDC_ROLE_CLAIM)
    user = known or _user_by_email(claims, role, now)
    if role is not None and user.role != role:
        # A site without an administrator is worse than a claim that has to wait.
        with suppress(LastAdministrator):
            change_role(user=user, role=role, actor=None, now=now)
    return user


def role_claimed(claims: Claims, path: str) -> Role | None:
    """Return the highest role that a claim names, developer if it names none, None without path.

    The path may be dotted, as in `realm_access.roles`; the claim is a name or a list of names,
    each with or without `pilotdash-` before it. A claim that ceases to name a role takes it away.
    """
    if not path:
        return None
    value: Any = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    named = {str(name).lower() for name in (value if isinstance(value, list) else [value])}
    for role in (Role.ADMIN, Role.LEAD, Role.DEVELOPER, Role.VIEWER):
        if named & {role.value, f"pilotdash-{role.value}"}:
            return role
    return Role.DEVELOPER


def _user_by_email(claims: Claims, role: Role | None, now: datetime) -> User:
    email = str(claims.get("email") or "").strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Unacceptable("Your identity provider did not tell your e-mail address.") from None
    if claims.get("email_verified") not in (True, "true"):
        raise Unacceptable(
            "Your identity provider does not say that your e-mail address is verified."
        )
    user = User.objects.select_related("person").filter(email=email).first()
    if user is not None:
        return user
    return join_by_single_sign_on(
        email=email, name=str(claims.get("name") or "")[:120], role=role, now=now
    )


def _merged(extra_data: Claims) -> dict[str, Any]:
    """Return the claims of the ID token with those of userinfo over them."""
    return {**(extra_data.get("id_token") or {}), **(extra_data.get("userinfo") or {})}
