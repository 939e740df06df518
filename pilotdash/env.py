"""Every environment variable is read here, by name, and fails by name.

Pure Python: the gateway reads its configuration here too, and knows no Django.
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class Misconfigured(Exception):
    """An environment variable is missing or unusable. The message names it and says what to do."""


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise Misconfigured(f"{name} is not set; see .env.example")
    return value


def flag(name: str, default: bool) -> bool:
    value = text(name, "on" if default else "off").lower()
    if value not in ("on", "off", "true", "false"):
        raise Misconfigured(f"{name} is {value!r}; use on or off")
    return value in ("on", "true")


def integer(name: str, default: int, *, least: int = 1, most: int = 65_535) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise Misconfigured(f"{name} is {value!r}; use a whole number from {least} to {most}")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    return [part for piece in text(name, default).split(",") if (part := piece.strip())]


def secret_key() -> str:
    return text("SECRET_KEY")


def encryption_keys() -> list[str]:
    """Fernet keys for credentials at rest, newest first: the first seals, all of them open."""
    keys = names("PILOTDASH_ENCRYPTION_KEYS")
    if not keys:
        raise Misconfigured("PILOTDASH_ENCRYPTION_KEYS is not set; see .env.example")
    return keys


def host() -> str:
    return text("HOST", "127.0.0.1")


def port() -> int:
    return integer("PORT", 8000)


def is_loopback_host() -> bool:
    if host() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host().strip("[]")).is_loopback
    except ValueError:
        return False


def web_url() -> str:
    """Where the gateway finds the pages. Set by the supervisor or by the compose file."""
    return text("PILOTDASH_WEB_URL", "http://127.0.0.1:8001").rstrip("/")


def gateway_url() -> str:
    """Where our own processes reach the gateway, which is not always where developers do.

    By default on this machine. Over TLS by an address that is not the machine's own, the name has
    to be the certificate's, which is that of SITE_URL.
    """
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host().strip("[]"), host().strip("[]"))
    is_local = is_loopback_host() or reached != host().strip("[]")
    if tls_files() and not is_local:
        reached = urlsplit(site_url()).hostname or reached
    scheme = "https" if tls_files() else "http"
    there = f"[{reached}]" if ":" in reached else reached
    return text("PILOTDASH_GATEWAY_URL", f"{scheme}://{there}:{port()}").rstrip("/")


def simulator_url() -> str:
    """Where the demo's simulated providers are. Set by the supervisor."""
    return text("PILOTDASH_SIMULATOR_URL").rstrip("/")


def site_url() -> str:
    """The address people type, without a slash at the end."""
    url = text("SITE_URL", f"http://{host()}:{port()}").rstrip("/")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Misconfigured(f"SITE_URL is {url!r}; use http(s)://host[:port]")
    return url


def allowed_hosts() -> list[str]:
    fallback = {urlsplit(site_url()).hostname or "", "127.0.0.1", "localhost", "[::1]"}
    return names("ALLOWED_HOSTS", ",".join(sorted(fallback)))


def database_url() -> str:
    return text("DATABASE_URL")


def database_pool() -> bool:
    """Whether this process serves many requests at once. pilotdash.asgi says so itself."""
    return flag("PILOTDASH_DATABASE_POOL", False)


def redis_url() -> str:
    return text("REDIS_URL")


def email_url() -> str:
    """How mail leaves, e.g. smtp://user:pw@host:587/?tls=True. The default writes it to the log."""
    return text("EMAIL_URL", "console://")


def default_from_email() -> str:
    return text("DEFAULT_FROM_EMAIL", "PilotDash <pilotdash@localhost>")


def time_zone() -> str:
    return text("TIME_ZONE", "UTC")


def data() -> Path:
    return Path(text("PILOTDASH_DATA", ".pilotdash")).absolute()


def web_workers() -> int:
    return integer("WEB_WORKERS", 1, most=64)


def gateway_workers() -> int:
    return integer("GATEWAY_WORKERS", 1, most=64)


def upstream_allow_cidrs() -> list[str]:
    """Private ranges that providers may live in; everything else private is refused."""
    return names("PILOTDASH_UPSTREAM_ALLOW_CIDRS")


def egress_proxy() -> str:
    """The proxy for calls to providers, or an empty text. It may hold a password: never told."""
    url = text("PILOTDASH_EGRESS_PROXY", "")
    if url and not _is_plain_proxy(url):
        raise Misconfigured(
            "PILOTDASH_EGRESS_PROXY is not of the form http://[user:password@]host:port. "
            "Proxies that are themselves spoken to over TLS (https://) are not supported"
        )
    return url


def _is_plain_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, or a bracket is missing
        return False


def egress_hosts() -> list[str]:
    hosts = names("PILOTDASH_EGRESS_HOSTS")
    if egress_proxy() and not hosts:
        raise Misconfigured("PILOTDASH_EGRESS_PROXY needs PILOTDASH_EGRESS_HOSTS; see .env.example")
    return hosts


def webhook_hosts() -> tuple[str, ...]:
    """Hosts, as host or host:port, that developers' messages may go to beside public addresses."""
    hosts = tuple(name.lower() for name in names("PILOTDASH_WEBHOOK_HOSTS"))
    for each in hosts:
        if not re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?", each):
            raise Misconfigured(f"PILOTDASH_WEBHOOK_HOSTS: {each!r} is not a host or host:port")
    return hosts


def ca_file() -> str:
    return text("PILOTDASH_CA_FILE", "")


def tls_files() -> tuple[str, str] | None:
    """Certificate and key for our own address, or None for plain HTTP."""
    certificate, key = text("TLS_CERT_FILE", ""), text("TLS_KEY_FILE", "")
    if bool(certificate) != bool(key):
        raise Misconfigured("TLS_CERT_FILE and TLS_KEY_FILE are set together or not at all")
    return (certificate, key) if certificate else None


def trusted_proxies() -> list[str]:
    """Addresses or networks whose X-Forwarded-* headers are believed."""
    return names("TRUSTED_PROXIES")


def oidc() -> tuple[str, str, str] | None:
    """Issuer, client id and client secret, or None when single sign-on is not set up."""
    values = [text(f"OIDC_{part}", "") for part in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET")]
    if any(values) and not all(values):
        raise Misconfigured("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together")
    return (values[0], values[1], values[2]) if all(values) else None


def oidc_role_claim() -> str:
    return text("OIDC_ROLE_CLAIM", "")


def password_sign_in() -> bool:
    allowed = flag("PASSWORD_SIGN_IN", True)
    if not allowed and oidc() is None:
        raise Misconfigured("PASSWORD_SIGN_IN=off leaves single sign-on only: set OIDC_ISSUER too")
    return allowed


def monitoring_token() -> str:
    return text("MONITORING_TOKEN", "")


def call_log() -> bool:
    """Whether the gateway writes a line for each call."""
    return flag("PILOTDASH_CALL_LOG", True)


@dataclass(frozen=True)
class GatewayLimits:
    """What the gateway takes, in bytes, seconds, levels and numbers of things."""

    body_bytes: int
    body_seconds: int
    header_bytes: int
    header_seconds: int
    json_depth: int
    json_values: int
    messages: int
    choices: int
    connect_seconds: int
    first_byte_seconds: int
    silence_seconds: int
    stream_seconds: int
    event_bytes: int
    calls_per_key: int
    calls_per_process: int


def gateway_limits() -> GatewayLimits:
    day = 86_400
    return GatewayLimits(
        body_bytes=integer("PILOTDASH_MAX_BODY_BYTES", 10 << 20, least=1 << 20, most=1 << 30),
        body_seconds=integer("PILOTDASH_BODY_SECONDS", 30, most=day),
        # The server itself takes no more than 417,792 bytes, and a minute at most.
        header_bytes=integer("PILOTDASH_MAX_HEADER_BYTES", 32 << 10, least=1024, most=400_000),
        header_seconds=integer("PILOTDASH_HEADER_SECONDS", 10, most=60),
        # The parser has a limit of its own at 1,024 levels.
        json_depth=integer("PILOTDASH_MAX_JSON_DEPTH", 64, least=4, most=1_000),
        json_values=integer("PILOTDASH_MAX_JSON_VALUES", 400_000, least=1_000, most=100_000_000),
        messages=integer("PILOTDASH_MAX_MESSAGES", 2_000, most=1_000_000),
        choices=integer("PILOTDASH_MAX_CHOICES", 8, most=128),
        connect_seconds=integer("PILOTDASH_CONNECT_SECONDS", 5, most=day),
        first_byte_seconds=integer("PILOTDASH_FIRST_BYTE_SECONDS", 120, most=day),
        silence_seconds=integer("PILOTDASH_SILENCE_SECONDS", 60, most=day),
        stream_seconds=integer("PILOTDASH_STREAM_SECONDS", 900, most=day),
        event_bytes=integer("PILOTDASH_MAX_EVENT_BYTES", 8 << 20, least=1024, most=1 << 30),
        calls_per_key=integer("PILOTDASH_CALLS_PER_KEY", 10, most=10_000),
        calls_per_process=integer("PILOTDASH_CALLS_PER_PROCESS", 1_000, most=20_000),
    )
