"""Post JSON to an address that a person typed, by the rules that hold for providers.

Never to a private address unless the operator opened it, never to our own servers; no redirects,
no credentials; exactly what was judged is connected to. The address itself is the secret.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from apps.core.addresses import Policy, as_address, judge
from apps.gateway.contract import ProviderRoute
from apps.gateway.upstream import Timeouts, Upstream, UpstreamFailure, UpstreamSettings

TIMEOUTS: Final = Timeouts(connect=5, first_byte=10, silence=5, whole=15)
ANSWER_AT_MOST: Final = 64 << 10
# Nothing of what a server says, or of where its name leads, is told: that would be a scanner.
SENTENCES: Final = {
    "address": "It leads to an address that PilotDash may not reach.",
    "connect": "Nothing answers there.",
    "tls": "Its certificate does not verify.",
}
SILENT: Final = "It did not answer in time."


class NotPostable(Exception):
    """The address cannot be posted to; the text is a sentence for whoever typed it."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address in the parts that it is spoken to by."""

    base_url: str
    path: str

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""


def target_of(url: str, policy: Policy | None = None) -> Target:
    """Judge an address without resolving its name. Raises NotPostable."""
    policy = policy or settings.UPSTREAM_POLICY
    base, _, query = url.partition("?")
    verdict = judge(base, policy)
    if not verdict.allowed:
        raise NotPostable(verdict.rule)
    if query and not judge(base + query, policy).allowed:
        raise NotPostable("The address contains characters that have no place in one.")
    parts = urlsplit(url)
    if parts.scheme == "http" and not (policy.loopback_open and _is_loopback(parts.hostname or "")):
        raise NotPostable("Use https: the address is a secret.")
    path = parts.path or "/"
    return Target(f"{parts.scheme}://{parts.netloc}", path + (f"?{query}" if query else ""))


async def post_json(url: str, body: object) -> None:
    """Post, and expect 2xx. Raises NotPostable."""
    target = target_of(url)
    upstream_settings = UpstreamSettings(
        policy=settings.UPSTREAM_POLICY,
        proxy=settings.EGRESS_PROXY,
        ca_file=settings.CA_FILE,
        timeouts=TIMEOUTS,
    )
    to = ProviderRoute(id=0, slug="webhook", base_url=target.base_url)
    headers = {"Content-Type": "application/json"}
    async with Upstream(upstream_settings) as upstream:
        try:
            exchange = upstream.open_as_is(to, "POST", target.path, orjson.dumps(body), headers)
            async with exchange as answer:
                await answer.read(ANSWER_AT_MOST)
                status = answer.status
        except UpstreamFailure as failure:
            sentence = SILENT if failure.is_timeout else SENTENCES.get(failure.kind, "")
            raise NotPostable(sentence or "What it answered cannot be read.") from None
    if 300 <= status < 400:
        raise NotPostable("It only redirects, and redirects are not followed.")
    if not 200 <= status < 300:
        raise NotPostable(f"It answered with HTTP {status}.")


def _is_loopback(host: str) -> bool:
    address = as_address(host)
    return host == "localhost" if address is None else address.is_loopback
