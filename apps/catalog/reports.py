"""The last test of each provider, for a day: its models are picked from there.

What was tested is part of the key, so that a change of address or credential forgets the test.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from asgiref.sync import async_to_sync
from django.core.cache import cache

from apps.catalog.models import Provider
from apps.catalog.probe import Report, probe
from apps.catalog.routes import provider_route

KEPT_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Tested:
    report: Report
    at: datetime


def run_test(provider: Provider, *, model: str, now: datetime) -> Tested:
    """Test a provider and keep the report. It takes up to a minute and raises nothing."""
    tested = Tested(async_to_sync(probe)(provider_route(provider), model=model), now)
    cache.set(_key(provider), tested, KEPT_S)
    return tested


def last_test(provider: Provider) -> Tested | None:
    """Return the last test of the provider as it is set now, or None."""
    found: Tested | None = cache.get(_key(provider))
    return found


def _key(provider: Provider) -> str:
    told = "\n".join(
        (
            provider.base_url,
            provider.auth,
            provider.credential,
            provider.stream_usage,
            provider.ca_pem,
        )
    )
    return f"provider-test:{provider.id}:{hashlib.sha256(told.encode()).hexdigest()}"
