import ipaddress

import pytest

from apps.core.addresses import (
    BadRange,
    Policy,
    judge,
    judge_address,
    own_endpoints,
    parse_ranges,
    readings,
)

SHUT = Policy()
EMBEDDED = Policy(loopback_open=True, own=own_endpoints([("127.0.0.1", 8000), ("0.0.0.0", 8001)]))
OFFICE = Policy(allow=parse_ranges(["10.20.0.0/16", "fd12::/16"]))
# A range must be longer than /0, so two of each kind open everything that can be opened.
ALMOST_ALL = Policy(allow=parse_ranges(["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]))
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


# One address of every range in IANA's registries of special-purpose addresses, and the neighbors
# of those whose borders are easily got wrong.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.1.1.1", "public"),
        ("9.255.255.255", "public"),
        ("10.0.0.0", "openable"),
        ("10.255.255.255", "openable"),
        ("11.0.0.0", "public"),
        ("100.63.255.255", "public"),
        ("100.64.0.0", "openable"),
        ("100.127.255.255", "openable"),
        ("100.128.0.0", "public"),
        ("172.15.255.255", "public"),
        ("172.16.0.0", "openable"),
        ("172.31.255.255", "openable"),
        ("172.32.0.0", "public"),
        ("191.255.255.255", "public"),
        ("192.0.0.0", "never"),
        ("192.0.0.8", "never"),
        ("192.0.0.9", "never"),
        ("192.0.0.170", "never"),
        ("192.0.0.192", "never"),
        ("192.0.1.0", "public"),
        ("192.0.2.1", "never"),
        ("192.31.196.1", "never"),
        ("192.52.193.1", "never"),
        ("192.88.99.1", "never"),
        ("192.88.99.2", "never"),
        ("192.168.0.1", "openable"),
        ("192.169.0.1", "public"),
        ("192.175.48.1", "never"),
        ("198.17.255.255", "public"),
        ("198.18.0.1", "openable"),
        ("198.19.255.255", "openable"),
        ("198.20.0.0", "public"),
        ("198.51.100.1", "never"),
        ("203.0.113.1", "never"),
        ("223.255.255.255", "public"),
        ("240.0.0.1", "never"),
        ("::1", "openable"),
        ("::2", "never"),
        ("::ffff:0:1.1.1.1", "never"),
        ("100::1", "never"),
        ("100:0:0:1::1", "never"),
        ("1fff::1", "never"),
        ("2000::1", "public"),
        ("2001:0:53aa:64c::1", "never"),
        ("2001:1::1", "never"),
        ("2001:2::1", "never"),
        ("2001:3::1", "never"),
        ("2001:4:112::1", "never"),
        ("2001:10::1", "never"),
        ("2001:20::1", "never"),
        ("2001:30::1", "never"),
        ("2001:1ff:ffff::1", "never"),
        ("2001:200::1", "public"),
        ("2001:db8::1", "never"),
        ("2001:db9::1", "public"),
        ("2620:4f:8000::1", "never"),
        ("3ffe::1", "public"),
        ("3fff::1", "never"),
        ("3fff:fff::1", "never"),
        ("3fff:1000::1", "public"),
        ("4000::1", "never"),
        ("5f00::1", "never"),
        ("fbff::1", "never"),
        ("fc00::1", "openable"),
        ("fdff::1", "openable"),
        ("fe00::1", "never"),
        ("fec0::1", "never"),
        # What is embedded counts, in every form that the address may be read in.
        ("64:ff9b::1.1.1.1", "public"),
        ("64:ff9b::192.0.0.192", "never"),
        ("64:ff9b::10.0.0.1", "openable"),
        ("64:ff9b:1:101:1:100::", "public"),  # 1.1.1.1 around the eighth byte
        ("64:ff9b:1:a9fe:a9:fe00::", "never"),  # 169.254.169.254
        ("64:ff9b:1:a00:0:100::", "openable"),  # 10.0.0.1
        ("64:ff9b:1:101:1:100:a9fe:a9fe", "never"),
        ("64:ff9b:1::169.254.169.254", "never"),
        ("64:ff9b:1:101:1:100:a00:1", "openable"),
        ("64:ff9b:2::1.1.1.1", "never"),
        ("2002:101:101::1", "public"),
        ("2002:a00:1::1", "openable"),
        ("2002:a9fe:a9fe::1", "never"),
        ("::ffff:192.0.0.192", "never"),
        ("::1.1.1.1", "public"),
        ("2600::5efe:1.1.1.1", "public"),
        ("2600::5efe:169.254.169.254", "never"),
        ("2600::200:5efe:10.0.0.1", "openable"),
    ],
)
def test_every_special_range_is_known_whatever_python_thinks_of_it(text, kind):
    address = ipaddress.ip_address(text)

    verdict = judge_address(address, 80, SHUT)
    opened = judge_address(address, 80, ALMOST_ALL)

    assert verdict.allowed is (kind == "public")
    assert opened.allowed is (kind != "never")
    assert bool(verdict.what_to_add) is (kind == "openable")


def test_the_range_to_add_is_that_of_the_embedded_address():
    verdict = judge_address(ipaddress.ip_address("64:ff9b:1:a00:0:100::"), 80, SHUT)

    assert verdict.what_to_add == "PILOTDASH_UPSTREAM_ALLOW_CIDRS=10.0.0.1/32"


@pytest.mark.parametrize(
    ("text", "port", "allowed"),
    [
        ("64:ff9b:1:7f00:0:100::", 8000, False),
        ("2002:7f00:1::1", 8000, False),
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
        ("http://localhost:8000/v1", EMBEDDED, False),
        ("http://LOCALHOST.:8000/v1", EMBEDDED, False),
        ("http://pages.localhost:8001/v1", EMBEDDED, False),
        ("http://localhost:11434/v1", EMBEDDED, True),
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


@pytest.mark.parametrize("text", ["::1", "1.2.3.4", "2600::1"])
def test_plain_addresses_are_their_own_form(text):
    assert readings(ipaddress.ip_address(text)) == (ipaddress.ip_address(text),)
