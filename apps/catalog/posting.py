"""Post JSON to an address that a developer typed.

Only to public addresses over https, and to hosts that the operator named for it: what is opened
for models is not open to every developer's messages. No redirects, no credentials; exactly what was
judged is connected to. The address itself is the secret.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import orjson
from django.conf import settings

from apps.core.addresses import OPENABLE, Policy, judge
from apps.gateway.contract import ProviderRoute
from apps.gateway.upstream import Timeouts, Upstream, UpstreamFailure, UpstreamSettings

TIMEOUTS: Final = Timeouts(connect=5, first_byte=10, silence=5, whole=15)
ANSWER_AT_MOST: Final = 64 << 10
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
CLOSED: Final = (
    "PilotDash posts to public addresses alone, and to hosts that its operator named in "
    "PILOTDASH_WEBHOOK_HOSTS."
)
ODD: Final = "The address contains characters that have no place in one."
HTTPS: Final = "Use https: the address is a secret."
# One sentence, whatever went wrong and wherever the name leads: several would be a scanner.
NOT_REACHED: Final = "It cannot be reached, or does not answer as a chat does."


class NotPostable(Exception):
    """The address cannot be posted to; the text is a sentence for whoever typed it."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address in the parts that it is spoken to by, and where it may lead."""

    base_url: str
    path: str
    policy: Policy

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""


def target_of(url: str) -> Target:
    """Judge an address without resolving its name. Raises NotPostable."""
    base, _, query = url.partition("?")
    _check_form(base)
    parts = urlsplit(url)
    if query and not judge(base + query, Policy(hosts=(parts.hostname or "",))).allowed:
        raise NotPostable(ODD)
    is_named = _place(parts) in settings.WEBHOOK_HOSTS
    policy = _policy(parts, is_named=is_named)
    if not judge(base, policy).allowed:
        raise NotPostable(CLOSED)
    if parts.scheme != "https" and not is_named:
        raise NotPostable(HTTPS)
    path = (parts.path or "/") + (f"?{query}" if query else "")
    return Target(f"{parts.scheme}://{parts.netloc}", path, policy)


async def post_json(url: str, body: object) -> None:
    """Post, and expect 2xx. Raises NotPostable."""
    target = target_of(url)
    upstream_settings = UpstreamSettings(
        policy=target.policy,
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
        except UpstreamFailure:
            raise NotPostable(NOT_REACHED) from None
    if 300 <= status < 400:
        raise NotPostable("It only redirects, and redirects are not followed.")
    if not 200 <= status < 300:
        raise NotPostable(f"It answered with HTTP {status}.")


def _check_form(url: str) -> None:
    """Raise NotPostable for what is no address, whichever host it names."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    verdict = judge(url, Policy(hosts=(host,)))
    if not verdict.allowed:
        raise NotPostable(verdict.rule)


def _place(parts: SplitResult) -> str:
    """Return host and port as the operator writes them: the scheme's own port goes unsaid."""
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    return host if port == DEFAULT_PORTS[parts.scheme] else f"{host}:{port}"


def _policy(parts: SplitResult, *, is_named: bool) -> Policy:
    own = settings.UPSTREAM_POLICY.own
    if settings.EGRESS_PROXY:
        # The proxy resolves the names, so only those that were named may be asked of it.
        return Policy(own=own, hosts=(parts.hostname or "",) if is_named else ())
    return Policy(own=own, allow=OPENABLE if is_named else ())
