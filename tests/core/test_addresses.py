import ipaddress

import pytest

from apps.core.addresses import (
    BadRange,
    Policy,
    judge,
    judge_address,
    own_endpoints,
    parse_ranges,
    unmapped,
)

SHUT = Policy()
EMBEDDED = Policy(loopback_open=True, own=own_endpoints([("127.0.0.1", 8000), ("0.0.0.0", 8001)]))
OFFICE = Policy(allow=parse_ranges(["10.20.0.0/16", "fd12::/16"]))
PROXIED = Policy(hosts=("api.together.xyz", "*.openai.azure.com"))


@pytest.mark.parametrize(
    ("text", "policy", "allowed"),
    [
        ("93.184.216.34", SHUT, True),
        ("2606:2800:220:1::1", SHUT, True),
        ("10.20.0.5", SHUT, False),
        ("10.20.0.5", OFFICE, True),
        ("10.21.0.5", OFFICE, False),
        ("fd12::5", OFFICE, True),
        ("fd13::5", OFFICE, False),
        ("192.168.1.1", OFFICE, False),
        ("100.64.0.1", SHUT, False),  # carrier-grade NAT
        ("127.0.0.1", SHUT, False),
        ("127.0.0.1", EMBEDDED, True),
        ("::1", EMBEDDED, True),
        # The forms that carry an IPv4 address are judged by it.
        ("::ffff:10.20.0.5", OFFICE, True),
        ("::ffff:192.168.1.1", OFFICE, False),
        ("::ffff:169.254.169.254", OFFICE, False),
        ("64:ff9b::a9fe:a9fe", SHUT, False),
        ("64:ff9b::5db8:d822", SHUT, True),
        ("2002:a9fe:a9fe::1", SHUT, False),
        ("::169.254.169.254", SHUT, False),
        ("2001:0:53aa:64c:0:0:0:1", SHUT, False),
    ],
)
def test_address_is_allowed_or_not(text, policy, allowed):
    assert judge_address(ipaddress.ip_address(text), 80, policy).allowed is allowed


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_some_addresses_are_never_opened(text):
    address = ipaddress.ip_address(text)
    everything = Policy(allow=parse_ranges([f"{text}/8"]), loopback_open=True)

    verdict = judge_address(address, 80, everything)

    assert (verdict.allowed, verdict.what_to_add) == (False, "")


@pytest.mark.parametrize(
    ("text", "port", "allowed"),
    [
        ("127.0.0.1", 8000, False),
        ("127.9.9.9", 8000, False),
        ("::1", 8001, False),
        ("::ffff:127.0.0.1", 8000, False),
        ("127.0.0.1", 11434, True),
    ],
)
def test_our_own_ports_stay_shut_on_loopback(text, port, allowed):
    assert judge_address(ipaddress.ip_address(text), port, EMBEDDED).allowed is allowed


def test_our_own_servers_stay_shut_inside_an_open_range():
    policy = Policy(allow=parse_ranges(["10.0.0.0/8"]), own=own_endpoints([("10.0.0.9", 5432)]))

    assert not judge_address(ipaddress.ip_address("10.0.0.9"), 5432, policy).allowed
    assert judge_address(ipaddress.ip_address("10.0.0.9"), 8000, policy).allowed


def test_a_refusal_says_what_the_operator_would_add():
    verdict = judge("http://10.20.0.5:8000/v1", SHUT)

    assert verdict.rule == "10.20.0.5 is private, and no range opens it."
    assert verdict.what_to_add == "PILOTDASH_UPSTREAM_ALLOW_CIDRS=10.20.0.5/32"


@pytest.mark.parametrize(
    ("url", "policy", "allowed"),
    [
        ("https://api.example.com/v1", SHUT, True),  # the name is judged when it is resolved
        ("http://127.0.0.1:11434/v1", EMBEDDED, True),
        ("http://localhost:8000/v1", EMBEDDED, True),  # refused once resolved
        ("http://[::1]:8000/v1", EMBEDDED, False),
        ("ftp://api.example.com/", SHUT, False),
        ("file:///etc/passwd", SHUT, False),
        ("https://user:pw@api.example.com/v1", SHUT, False),
        ("https://api.example.com@evil.example/v1", SHUT, False),
        ("https://api.example.com\\@evil.example/v1", SHUT, False),
        ("https://api.example.com/v1?x=1", SHUT, False),
        ("https://api.example.com/v1#x", SHUT, False),
        ("https://api.example.com:99999/v1", SHUT, False),
        ("https://api.exa mple.com/v1", SHUT, False),
        ("https:///v1", SHUT, False),
        ("https://api.together.xyz/v1", PROXIED, True),
        ("https://API.together.xyz./v1", PROXIED, True),
        ("https://team.openai.azure.com/openai/v1", PROXIED, True),
        ("https://openai.azure.com/v1", PROXIED, False),
        ("https://evilopenai.azure.com/v1", PROXIED, False),
        ("https://93.184.216.34/v1", PROXIED, False),
    ],
)
def test_url_is_allowed_or_not(url, policy, allowed):
    assert judge(url, policy).allowed is allowed


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "10.0.0.0/33", "ten", ""])
def test_a_range_that_is_no_choice_is_refused(text):
    with pytest.raises(BadRange):
        parse_ranges([text])


def test_plain_addresses_are_their_own_form():
    assert unmapped(ipaddress.ip_address("::1")) == ipaddress.ip_address("::1")
    assert unmapped(ipaddress.ip_address("1.2.3.4")) == ipaddress.ip_address("1.2.3.4")
