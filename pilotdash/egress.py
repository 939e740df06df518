"""How this installation may reach providers, from the operator's environment."""

from urllib.parse import urlsplit

from apps.core.addresses import BadRange, Policy, own_endpoints, parse_ranges
from pilotdash import env

DEFAULT_PORTS = {"http": 80, "https": 443, "postgres": 5432, "postgresql": 5432}
DEFAULT_PORTS |= {"redis": 6379, "rediss": 6379}


def policy() -> Policy:
    """Return which addresses the operator opened, and which are servers of our own.

    Raises env.Misconfigured, by the name of the variable.
    """
    try:
        ranges = parse_ranges(env.upstream_allow_cidrs())
    except BadRange as problem:
        raise env.Misconfigured(f"PILOTDASH_UPSTREAM_ALLOW_CIDRS: {problem}") from None
    return Policy(
        allow=ranges,
        loopback_open=env.is_loopback_host(),
        own=own_endpoints(_own()),
        hosts=tuple(env.egress_hosts()) if env.egress_proxy() else None,
    )


def _own() -> list[tuple[str, int]]:
    """The endpoints of ours that speak TCP: gateway, pages, database and broker."""
    endpoints = [(env.host().strip("[]"), env.port())]
    # The gateway is not told where the database is.
    database, broker = env.text("DATABASE_URL", ""), env.text("REDIS_URL", "")
    for url in map(urlsplit, (env.site_url(), env.web_url(), env.gateway_url(), database, broker)):
        port = url.port or DEFAULT_PORTS.get(url.scheme)
        if url.hostname and port and not url.hostname.startswith("%2f"):
            endpoints.append((url.hostname, port))
    return endpoints
