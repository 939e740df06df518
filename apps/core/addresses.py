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


def _ranges(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# IANA's registries of special-purpose addresses, written down: Python's `is_global` changes with
# its version and takes what is not registered for public. What lies in neither list is public where
# it is IPv4 or in 2000::/3, and never opened elsewhere.
OPENABLE: Final = _ranges(
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    *("127.0.0.0/8", "::1/128"),
    "100.64.0.0/10",  # shared address space, also inside companies and overlay networks
    "198.18.0.0/15",  # benchmarks, and the made-up answers of some VPN clients
)
NEVER: Final[tuple[tuple[Network, str], ...]] = tuple(
    (network, why)
    for why, networks in {
        "link-local, where clouds keep their metadata": _ranges("169.254.0.0/16", "fe80::/10"),
        "a cloud's metadata service": _ranges(
            "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"
        ),
        "this host on this network": _ranges("0.0.0.0/8", "::/128"),
        "multicast": _ranges("224.0.0.0/4", "ff00::/8"),
        "reserved or broadcast": _ranges("240.0.0.0/4"),
        "set aside for protocols": _ranges("192.0.0.0/24", "2001::/23"),
        "set aside for documentation": _ranges(
            *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
        ),
        "set aside for relays and name servers": _ranges(
            *("192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
            "2620:4f:8000::/48",
        ),
    }.items()
    for network in networks
)
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)
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
    if (_own_host(host), port) in policy.own:
        return Verdict(False, f"{host}:{port} is one of PilotDash's own servers.")
    return Verdict(True, "The addresses of the name are checked whenever it is connected to.")


def judge_address(address: Address, port: int, policy: Policy) -> Verdict:
    """Judge one resolved address together with the port that would be connected to.

    Where it can be read as more than one address, every one of them must pass.
    """
    for target in readings(address):
        verdict = _judge_reading(address, target, port, policy)
        if not verdict.allowed:
            break
    return verdict


def _judge_reading(address: Address, target: Address, port: int, policy: Policy) -> Verdict:
    for network, why in NEVER:
        if target in network:
            return Verdict(False, f"{address} is {why}; such addresses are never opened.")
    is_openable = any(target in network for network in OPENABLE)
    if not is_openable and target.version == 6 and target not in _GLOBAL_UNICAST:
        return Verdict(False, f"{address} is reserved; such addresses are never opened.")
    if (_own_host(str(target)), port) in policy.own:
        return Verdict(False, f"{address}:{port} is one of PilotDash's own servers.")
    if any(target in network for network in policy.allow):
        return Verdict(True, f"{address} is in a range that {CIDRS_NAME} opens.")
    if target.is_loopback and policy.loopback_open:
        return Verdict(True, "Loopback is open while PilotDash itself listens on loopback only.")
    if is_openable:
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


def readings(address: Address) -> tuple[Address, ...]:
    """Return the addresses that a packet to this one may reach, itself if it embeds no other.

    IPv4 is embedded in mapped, compatible, NAT64 and 6to4 forms, which stand for it alone, and in
    ISATAP, which is an address of its own besides.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    if (only := address.ipv4_mapped or address.sixtofour) is not None:
        return (only,)
    bits = int(address)
    low = ipaddress.IPv4Address(bits & 0xFFFF_FFFF)
    if address in _NAT64 or (address in _COMPATIBLE and int(low) > 0xFFFF):
        return (low,)
    if address in _LOCAL_NAT64:
        # RFC 6052 for a /48: two bytes, the byte that is always zero, two bytes. A network may
        # also have cut a /96 out of it; then the last four bytes are not zero.
        split = ipaddress.IPv4Address((bits >> 64 & 0xFFFF) << 16 | bits >> 40 & 0xFFFF)
        return (split, low) if int(low) else (split,)
    return (address, low) if bits >> 32 & 0xFFFF_FFFF in _ISATAP else (address,)


def _own_host(host: str) -> str:
    address = as_address(host)
    if address is None:
        name = host.rstrip(".").lower()
        return "loopback" if name == "localhost" or name.endswith(".localhost") else name
    # Listening on every address includes the loopback one.
    target = readings(address)[0]
    return "loopback" if target.is_loopback or target.is_unspecified else str(target)


def _judge_host(host: str, hosts: tuple[str, ...]) -> Verdict:
    name = host.rstrip(".").lower()
    for pattern in hosts:
        wanted = pattern.rstrip(".").lower()
        if name == wanted or (wanted.startswith("*.") and name.endswith(wanted[1:])):
            return Verdict(True, f"{host} is a host that {HOSTS_NAME} names.")
    rule = f"{host} is not among the hosts that may be reached through the egress proxy."
    return Verdict(False, rule, f"{HOSTS_NAME}={name}")
