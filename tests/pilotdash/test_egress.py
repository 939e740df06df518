import pytest

from apps.core.addresses import judge
from pilotdash import egress, env


@pytest.fixture
def environment(monkeypatch):
    """Set variables; whatever this test run has for them is put away."""
    for name in (
        "DATABASE_URL",
        "HOST",
        "PILOTDASH_EGRESS_HOSTS",
        "PILOTDASH_EGRESS_PROXY",
        "PILOTDASH_GATEWAY_URL",
        "PILOTDASH_UPSTREAM_ALLOW_CIDRS",
        "PILOTDASH_WEB_URL",
        "PORT",
        "REDIS_URL",
        "SITE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    return lambda **values: [monkeypatch.setenv(name, value) for name, value in values.items()]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8123/v1",  # the gateway
        "http://127.0.0.1:8200/v1",  # the pages
        "http://[::1]:5555/v1",  # the database
        "http://127.0.0.1:6379/v1",  # the broker, at its usual port
        "https://pilot.example.com/v1",  # the address people type
    ],
)
def test_own_servers_are_never_upstreams(environment, url):
    environment(
        PORT="8123",
        PILOTDASH_WEB_URL="http://127.0.0.1:8200",
        DATABASE_URL="postgresql://x:y@127.0.0.1:5555/z",
        REDIS_URL="redis://:y@127.0.0.1/0",
        SITE_URL="https://pilot.example.com",
    )

    verdict = judge(url, egress.policy())

    assert not verdict.allowed
    assert verdict.rule.endswith("is one of PilotDash's own servers.")


@pytest.mark.parametrize(("host", "allowed"), [("127.0.0.1", True), ("0.0.0.0", False)])
def test_loopback_is_open_while_host_is_loopback(environment, host, allowed):
    environment(HOST=host)

    assert judge("http://127.0.0.1:11434/v1", egress.policy()).allowed is allowed


def test_gateway_needs_no_database(environment):
    environment()

    assert egress.policy().hosts is None


def test_proxy_brings_its_hosts(environment):
    environment(PILOTDASH_EGRESS_PROXY="http://proxy:3128", PILOTDASH_EGRESS_HOSTS="a.example")

    assert egress.policy().hosts == ("a.example",)


@pytest.mark.parametrize(
    "url", ["http://proxy:3128", "http://user:p%40ss@[::1]:8080", "http://proxy"]
)
def test_proxies_over_plain_http_are_taken_as_they_are(environment, url):
    environment(PILOTDASH_EGRESS_PROXY=url)

    assert env.egress_proxy() == url


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@proxy:3128",
        "socks5://proxy:1080",
        "proxy:3128",
        "//proxy:3128",
        "http://",
        "http://proxy:many",
        "http://proxy:0",
        "http://proxy:70000",
        "http://[::1:3128",
    ],
)
def test_other_proxies_fail_by_name_and_tell_no_password(environment, url):
    environment(PILOTDASH_EGRESS_PROXY=url, PILOTDASH_EGRESS_HOSTS="a.example")

    with pytest.raises(env.Misconfigured) as refused:
        egress.policy()

    assert str(refused.value) == (
        "PILOTDASH_EGRESS_PROXY is not of the form http://[user:password@]host:port. "
        "Proxies that are themselves spoken to over TLS (https://) are not supported"
    )


def test_hosts_for_messages_are_taken_in_small_letters(monkeypatch):
    monkeypatch.delenv("PILOTDASH_WEBHOOK_HOSTS", raising=False)
    assert env.webhook_hosts() == ()
    monkeypatch.setenv("PILOTDASH_WEBHOOK_HOSTS", "Chat.example:8065, [::1]:80,10.0.0.1")
    assert env.webhook_hosts() == ("chat.example:8065", "[::1]:80", "10.0.0.1")


@pytest.mark.parametrize("host", ["https://chat.example", "chat.example/hooks", "*.example", "a:0"])
def test_other_hosts_for_messages_fail_by_name(monkeypatch, host):
    monkeypatch.setenv("PILOTDASH_WEBHOOK_HOSTS", host)

    with pytest.raises(env.Misconfigured, match=r"^PILOTDASH_WEBHOOK_HOSTS: "):
        env.webhook_hosts()


@pytest.mark.parametrize("cidr", ["10.0.0.0/99", "0.0.0.0/0", "everything"])
def test_bad_range_fails_by_name(environment, cidr):
    environment(PILOTDASH_UPSTREAM_ALLOW_CIDRS=cidr)

    with pytest.raises(env.Misconfigured, match=r"^PILOTDASH_UPSTREAM_ALLOW_CIDRS: "):
        egress.policy()
