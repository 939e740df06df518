"""Which addresses an upstream may have. Pure rules: nothing here resolves a name or opens a socket.

Self-hosted models live on private addresses, so a ban is useless and a permission is a hole: the
operator's environment opens ranges, and a few addresses are never opened. Names are judged by the
addresses they resolve to, at the moment of connecting.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CIDRS_NAME: Final = "PILOTDASH_UPSTREAM_ALLOW_CIDRS"
HOSTS_NAME: Final = "PILOTDASH_EGRESS_HOSTS"

NEVER: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ipaddress.ip_network(text), why)
    for text, why in (
        ("169.254.0.0/16", "link-local, where clouds keep their metadata"),
        ("fe80::/10", "link-local"),
        ("fd00:ec2::254/128", "a cloud's metadata service"),
        ("100.100.100.200/32", "a cloud's metadata service"),
        ("168.63.129.16/32", "a cloud's metadata service"),
        ("0.0.0.0/8", "this host on this network"),
        ("::/128", "the unspecified address"),
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("240.0.0.0/4", "reserved or broadcast"),
        ("2001::/32", "Teredo, which hides another address"),
    )
)
_NAT64: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
# Two parsers must not read two hosts out of one text, so whatever is unusual is refused.
_PLAIN_URL: Final = re.compile(r"[A-Za-z0-9:/._~%\-\[\]@!$&'()*+,;=?#]+")


class BadRange(ValueError):
    """A range in the operator's environment is malformed or opens everything."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` is a sentence for people; `what_to_add` is the line that would open the address."""

    allowed: bool
    rule: str
    what_to_add: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator opened.

    `loopback_open` while HOST is loopback; `own` holds (address, port) of our own servers, where
    any loopback address stands for all of them. `hosts` is None without an egress proxy; with one
    it replaces the check of addresses.
    """

    allow: tuple[Network, ...] = ()
    loopback_open: bool = False
    own: frozenset[tuple[str, int]] = frozenset()
    hosts: tuple[str, ...] | None = None


def parse_ranges(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the ranges. Raises BadRange, also on a /0: that is no longer a choice."""
    ranges: list[Network] = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise BadRange(f"{text!r} is not an address range such as 10.1.0.0/16") from None
        if network.prefixlen == 0:
            raise BadRange(f"{text!r} would open every address; name the ranges you mean")
        ranges.append(network)
    return tuple(ranges)


def own_endpoints(endpoints: Iterable[tuple[str, int]]) -> frozenset[tuple[str, int]]:
    """Return endpoints of ours in the form that a Policy compares; names stay as they are."""
    return frozenset((_own_host(host), port) for host, port in endpoints)


def judge(url: str, policy: Policy) -> Verdict:
    """Judge the text of an upstream's base address, as far as that is possible unresolved."""
    if not _PLAIN_URL.fullmatch(url):
        return Verdict(False, "The address contains characters that have no place in one.")
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return Verdict(False, "The address cannot be read; use http(s)://host[:port]/path.")
    if parts.scheme not in ("http", "https"):
        return Verdict(False, "Only http and https addresses are spoken to.")
    if "@" in parts.netloc:
        return Verdict(False, "An address must not carry a user or password; use the credential.")
    if parts.query or parts.fragment:
        return Verdict(False, "An address must not carry a query or a fragment.")
    if not (host := parts.hostname):
        return Verdict(False, "The address names no host.")
    if policy.hosts is not None:
        return _judge_host(host, policy.hosts)
    if (address := as_address(host)) is not None:
        return judge_address(address, port, policy)
    if (host.rstrip(".").lower(), port) in policy.own:
        return Verdict(False, f"{host}:{port} is one of PilotDash's own servers.")
    return Verdict(True, "The addresses of the name are checked whenever it is connected to.")


def judge_address(address: Address, port: int, policy: Policy) -> Verdict:
    """Judge one resolved address together with the port that would be connected to."""
    target = unmapped(address)
    for network, why in NEVER:
        if target in network:
            return Verdict(False, f"{address} is {why}; such addresses are never opened.")
    if (_own_host(str(target)), port) in policy.own:
        return Verdict(False, f"{address}:{port} is one of PilotDash's own servers.")
    if any(target in network for network in policy.allow):
        return Verdict(True, f"{address} is in a range that {CIDRS_NAME} opens.")
    if target.is_loopback and policy.loopback_open:
        return Verdict(True, "Loopback is open while PilotDash itself listens on loopback only.")
    if not target.is_global:
        kind = "loopback" if target.is_loopback else "private"
        line = f"{CIDRS_NAME}={target}/{target.max_prefixlen}"
        return Verdict(False, f"{address} is {kind}, and no range opens it.", line)
    return Verdict(True, f"{address} is public.")


def as_address(host: str) -> Address | None:
    """Return the address a host text literally is, or None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 form carries (mapped, compatible, NAT64, 6to4)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    low = int(address) & 0xFFFF_FFFF
    if any(address in network for network in _NAT64) or (address in _COMPATIBLE and low > 1):
        return ipaddress.IPv4Address(low)
    return address


def _own_host(host: str) -> str:
    address = as_address(host)
    if address is None:
        return "loopback" if host == "localhost" else host.rstrip(".").lower()
    # Listening on every address includes the loopback one.
    is_here = address.is_loopback or address.is_unspecified
    return "loopback" if is_here else str(unmapped(address))


def _judge_host(host: str, hosts: tuple[str, ...]) -> Verdict:
    name = host.rstrip(".").lower()
    for pattern in hosts:
        wanted = pattern.rstrip(".").lower()
        if name == wanted or (wanted.startswith("*.") and name.endswith(wanted[1:])):
            return Verdict(True, f"{host} is a host that {HOSTS_NAME} names.")
    rule = f"{host} is not among the hosts that may be reached through the egress proxy."
    return Verdict(False, rule, f"{HOSTS_NAME}={name}")
