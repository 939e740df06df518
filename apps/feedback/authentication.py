"""Whose key a request carries. The same rule as the gateway's, read from the database."""

from datetime import datetime
from typing import Final

from django.http import HttpRequest

from apps.core.keys import digest, is_well_formed
from apps.pilots.models import Key, KeyKind

BEARER: Final = "bearer "


class NotAKey(Exception):
    """No key, or one that is not in force. The message says what to do and nothing of why."""


def key_of(request: HttpRequest, *, now: datetime) -> Key:
    """Return the developer key of a request, with its enrollment, pilot and person.

    Raises NotAKey. A key is found by its digest: how long that takes says nothing about the key.
    """
    plain = _plain_key(request)
    if not plain:
        raise NotAKey("Send your PilotDash key as 'Authorization: Bearer pd_…'.")
    key = None
    if is_well_formed(plain):
        key = (
            Key.objects.filter(
                digest=digest(plain),
                kind=KeyKind.DEVELOPER,
                revoked_at__isnull=True,
                expires_at__gt=now,
                enrollment__left_at__isnull=True,
                enrollment__person__erased_at__isnull=True,
            )
            .exclude(enrollment__person__user__is_active=False)
            .select_related("enrollment__pilot", "enrollment__person")
            .first()
        )
    if key is None:
        raise NotAKey("This key is unknown, expired or revoked; make a new one on Connect.")
    return key


def _plain_key(request: HttpRequest) -> str:
    authorization = request.headers.get("authorization", "")
    if authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip()
    return (request.headers.get("x-api-key") or request.headers.get("api-key") or "").strip()
