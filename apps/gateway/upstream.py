"""Talk to providers: which address, which credential, which connections.

The developer's own headers never come this far, and the provider's credential never leaves here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

from multidict import CIMultiDict
from yarl import URL

from apps.core.addresses import Verdict, judge
from apps.core.secrets import CannotOpen, open_token
from apps.gateway.connections import Connections, Timeouts, UpstreamFailure, UpstreamSettings
from apps.gateway.contract import ProviderRoute
from apps.gateway.exchange import Body, Exchange, Outgoing, Try

__all__ = ["Exchange", "Timeouts", "Try", "Upstream", "UpstreamFailure", "UpstreamSettings"]

CACHE_LIMIT: Final = 4_096


class Upstream:
    """Connections to providers, for one event loop. Close it, or use it as a context manager."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self.connections = Connections(settings)
        self._urls: dict[tuple[str, str], URL] = {}
        self._credentials: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self.connections.aclose()

    async def check(self, base_url: str) -> Verdict:
        """Judge an address as connecting would; the name, if it is one, is resolved."""
        return await self.connections.check(base_url)

    def open(
        self,
        provider: ProviderRoute,
        method: str,
        path: str,
        body: Body = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Exchange:
        """Return an exchange to be entered: `async with upstream.open(…) as response`.

        `path` is relative to the provider's base address; a body that is still arriving is sent as
        it does. This, entering and reading raise UpstreamFailure.
        """
        url = self.url(provider, path)
        merged = CIMultiDict(headers or {})
        merged.update(self.authorization(provider))
        return Exchange(self.connections, Outgoing(method, url, body, merged, provider.ca_pem))

    def open_as_is(
        self,
        provider: ProviderRoute,
        method: str,
        target: str,
        body: Body,
        headers: Mapping[str, str],
    ) -> Exchange:
        """Like open(), for a request target that a client chose: it is not cached."""
        url = URL(provider.base_url.rstrip("/") + target, encoded=True)
        outgoing = Outgoing(method, url, body, CIMultiDict(headers), provider.ca_pem)
        return Exchange(self.connections, outgoing)

    def url(self, provider: ProviderRoute, path: str) -> URL:
        known = self._urls.get((provider.base_url, path))
        if known is None:
            verdict = judge(provider.base_url, self.settings.policy)
            if not verdict.allowed:
                raise UpstreamFailure("address", verdict.rule)
            # Encoded stays encoded: a %2F or %3A in a path means something to the provider.
            known = URL(f"{provider.base_url.rstrip('/')}/{path.lstrip('/')}", encoded=True)
            if len(self._urls) >= CACHE_LIMIT:
                self._urls.clear()
            self._urls[provider.base_url, path] = known
        return known

    def credential(self, provider: ProviderRoute) -> str:
        """Return the credential in the clear, or an empty text. Raises UpstreamFailure."""
        if not (token := provider.credential):
            return ""
        known = self._credentials.get(token)
        if known is None:
            try:
                known = open_token(token, self.settings.keys)
            except (CannotOpen, ValueError):
                detail = "The provider's credential cannot be opened with our keys."
                raise UpstreamFailure("credential", detail) from None
            if len(self._credentials) >= CACHE_LIMIT:
                self._credentials.clear()
            self._credentials[token] = known
        return known

    def authorization(self, provider: ProviderRoute) -> dict[str, str]:
        if provider.auth == "none" or not (credential := self.credential(provider)):
            return {}
        if provider.auth == "api_key":
            return {"api-key": credential}
        if provider.auth == "x_api_key":
            return {"x-api-key": credential}
        return {"Authorization": f"Bearer {credential}"}
