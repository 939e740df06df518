"""Changes of providers. Each is one transaction, audited, and republishes the routes.

Candidates are in candidates.py, what they cost is in costs.py.
"""

import re
import ssl
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.validators import slug_re
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import Person
from apps.catalog.models import Auth, CandidateState, Provider, Residence, StreamUsage
from apps.catalog.trail import changes_of, note
from apps.changes.actions import routes_changed
from apps.core.addresses import Verdict, judge
from apps.core.secrets import reseal, seal
from apps.gateway.contract import SERVABLE, SERVED_BY_MOST

HINT_AT_LEAST: Final = 12
# What may stand in a header: anything else would break the request, or smuggle another header in.
_CREDENTIAL: Final = re.compile(r"[\x21-\x7e]+")

_resealers: list[Callable[[], int]] = []


class SlugTaken(Exception):
    """Another provider has this slug."""


class SlugMalformed(Exception):
    """A slug holds letters, digits, dashes and underscores: links are made of it."""


class AddressRefused(Exception):
    """The base address breaks a rule; `verdict` says which and what the operator would add."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.rule)
        self.verdict = verdict


class CredentialMalformed(Exception):
    """A credential is one line of visible ASCII characters without blanks."""


class CertificateMalformed(Exception):
    """The additional authorities are not PEM certificates."""


class ProviderRetired(Exception):
    """A retired provider changes no more."""


class ProviderInUse(Exception):
    """Candidates of the provider are not retired yet."""


@transaction.atomic
def add_provider(
    *,
    slug: str,
    name: str,
    base_url: str,
    now: datetime,
    auth: str = Auth.BEARER,
    driver: str = "openai",
    stream_usage: str = StreamUsage.ON_REQUEST,
    residence: str = Residence.OUTSIDE,
    region: str = "",
    ca_pem: str = "",
    serves: Collection[str] = SERVED_BY_MOST,
    most_stops: int = 0,
    credential: str = "",
    actor: Person | None = None,
) -> Provider:
    """Make a provider.

    Raises SlugMalformed, SlugTaken, AddressRefused, CredentialMalformed, CertificateMalformed.
    """
    _check_certificates(ca_pem)
    check_slug(slug)
    if Provider.objects.filter(slug=slug).exists():
        raise SlugTaken(slug)
    provider = Provider.objects.create(
        slug=slug,
        name=name,
        base_url=_judged(base_url),
        auth=auth,
        driver=driver,
        stream_usage=stream_usage,
        residence=residence,
        region=region,
        ca_pem=ca_pem,
        serves=_in_order(serves),
        most_stops=most_stops,
        created_at=now,
    )
    note(provider, "provider added", actor, now, {"base_url": provider.base_url})
    if credential:
        return set_credential(provider=provider, credential=credential, now=now, actor=actor)
    return provider


@transaction.atomic
def change_provider(
    *,
    provider: Provider,
    name: str,
    base_url: str,
    auth: str,
    stream_usage: str,
    residence: str,
    region: str,
    ca_pem: str,
    serves: Collection[str],
    most_stops: int,
    now: datetime,
    actor: Person | None = None,
) -> Provider:
    """Replace a provider's settings. A secret belongs to scheme, host and port: another origin
    clears the credential, or whoever may change an address could have it sent to themselves.

    Raises ProviderRetired, AddressRefused, CertificateMalformed.
    """
    _check_certificates(ca_pem)
    locked = standing(provider)
    address = _judged(base_url)
    fields = {
        "name": name,
        "base_url": address,
        "auth": auth,
        "stream_usage": stream_usage,
        "residence": residence,
        "region": region,
        "ca_pem": ca_pem,
        "serves": _in_order(serves),
        "most_stops": most_stops,
    }
    has_moved = _origin(address) != _origin(locked.base_url)
    changed = changes_of(locked, fields)
    if not changed:
        return locked
    locked.save(update_fields=list(fields))
    note(locked, "provider changed", actor, now, changed)
    if has_moved and locked.credential:
        return set_credential(provider=locked, credential="", now=now, actor=actor)
    return locked


@transaction.atomic
def set_credential(
    *, provider: Provider, credential: str, now: datetime, actor: Person | None = None
) -> Provider:
    """Seal and store a provider's secret; an empty text removes it.

    Raises ProviderRetired, CredentialMalformed.
    """
    if credential and not _CREDENTIAL.fullmatch(credential):
        raise CredentialMalformed
    locked = standing(provider)
    locked.credential = seal(credential, settings.ENCRYPTION_KEYS) if credential else ""
    locked.credential_hint = _hint(credential)
    locked.save(update_fields=["credential", "credential_hint"])
    note(locked, "credential replaced" if credential else "credential removed", actor, now)
    return locked


def on_rotation(resealer: Callable[[], int]) -> None:
    """Have a function called, in the same transaction, that seals again what an app above keeps.

    It returns how many there were.
    """
    _resealers.append(resealer)


@transaction.atomic
def rotate_credentials(*, now: datetime) -> int:
    """Seal every credential again with the newest key; return how many.

    Raises core.secrets.CannotOpen where none of the keys opens one: nothing is changed then.
    """
    providers = list(Provider.objects.select_for_update().exclude(credential="").order_by("id"))
    for provider in providers:
        provider.credential = reseal(provider.credential, settings.ENCRYPTION_KEYS)
        provider.save(update_fields=["credential"])
    others = sum(reseal_others() for reseal_others in _resealers)
    if providers:
        detail = {"providers": len(providers)}
        audit.record(
            actor=None, action="credentials resealed", subject="providers", detail=detail, now=now
        )
        routes_changed()
    return len(providers) + others


@transaction.atomic
def retire_provider(*, provider: Provider, now: datetime, actor: Person | None = None) -> None:
    """Take a provider out for good and forget its secret. Raises ProviderRetired, ProviderInUse."""
    locked = standing(provider)
    if locked.candidates.exclude(state=CandidateState.RETIRED).exists():
        raise ProviderInUse(locked.slug)
    locked.retired_at = now
    locked.credential = locked.credential_hint = ""
    locked.save(update_fields=["retired_at", "credential", "credential_hint"])
    note(locked, "provider retired", actor, now)


def _in_order(serves: Collection[str]) -> list[str]:
    """Return what is served in one order, so that the same settings are the same list."""
    return [name for name in SERVABLE if name in serves]


def _judged(base_url: str) -> str:
    verdict = judge(base_url, settings.UPSTREAM_POLICY)
    if not verdict.allowed:
        raise AddressRefused(verdict)
    return base_url.rstrip("/")


def _check_certificates(pem: str) -> None:
    if not pem:
        return
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise CertificateMalformed from None


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", port


def _hint(credential: str) -> str:
    return f"…{credential[-4:]}" if len(credential) >= HINT_AT_LEAST else "…" * bool(credential)


def check_slug(slug: str) -> None:
    """Raises SlugMalformed."""
    if not slug_re.match(slug):
        raise SlugMalformed(slug)


def standing(provider: Provider) -> Provider:
    """Return the provider as it is now, locked. Raises ProviderRetired."""
    locked = Provider.objects.select_for_update().get(id=provider.id)
    if locked.retired_at is not None:
        raise ProviderRetired(locked.slug)
    return locked
