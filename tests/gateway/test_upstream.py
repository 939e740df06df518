"""Who is connected to, with what, and what comes of it."""

import asyncio
import datetime
import socket
import ssl

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.core.addresses import Policy, own_endpoints, parse_ranges
from apps.core.secrets import seal
from apps.gateway.contract import ProviderRoute
from apps.gateway.deadlines import Deadlines
from apps.gateway.upstream import Timeouts, Upstream, UpstreamFailure, UpstreamSettings
from tests.gateway.rig import FERNET

OPEN = Policy(loopback_open=True)


class Runner(web.AppRunner):
    """A server that remembers its requests."""

    seen: list[web.Request]
    port: int


@pytest.fixture
async def server():
    """An echo that also redirects, sets cookies and answers slowly."""
    seen: list[web.Request] = []

    async def echo(request: web.Request) -> web.Response:
        seen.append(request)
        body = await request.read()
        response = web.Response(body=body or b"none")
        response.set_cookie("session", "1")
        return response

    async def redirect(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/")

    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/v1/redirect", redirect)
    app.router.add_route("*", "/{rest:.*}", echo)
    runner = Runner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    runner.seen = seen
    runner.port = runner.addresses[0][1]
    yield runner
    await runner.cleanup()


def provider(url: str, **more: str) -> ProviderRoute:
    return ProviderRoute(id=1, slug="p", base_url=url, **more)


async def fetch(
    upstream: Upstream, route: ProviderRoute, path="x", body=b"{}"
) -> tuple[int, bytes]:
    async with upstream.open(route, "POST", path, body) as response:
        return response.status, await response.read(1 << 26)


async def kind_of_failure(upstream: Upstream, route: ProviderRoute) -> str:
    with pytest.raises(UpstreamFailure) as raised:
        await fetch(upstream, route)
    return raised.value.kind


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "[::ffff:7f00:1]"])
async def test_loopback_is_shut_unless_the_policy_opens_it(server, host):
    route = provider(f"http://{host}:{server.port}/v1")

    async with Upstream(UpstreamSettings()) as upstream:
        assert await kind_of_failure(upstream, route) == "address"
        assert not (await upstream.check(route.base_url)).allowed
    assert server.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_our_own_port_is_shut_even_then(server, host):
    own = Policy(loopback_open=True, own=own_endpoints([("127.0.0.1", server.port)]))
    route = provider(f"http://{host}:{server.port}/v1")

    async with Upstream(UpstreamSettings(policy=own)) as upstream:
        assert await kind_of_failure(upstream, route) == "address"
        verdict = await upstream.check(route.base_url)
    assert (verdict.allowed, server.seen) == (False, [])


async def test_one_bad_answer_spoils_a_name(server, monkeypatch):
    loop = asyncio.get_running_loop()

    async def mixed(host, port, **_):
        family = socket.AF_INET
        return [
            (family, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
            (family, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port)),
        ]

    monkeypatch.setattr(loop, "getaddrinfo", mixed)
    route = provider(f"http://mixed.example:{server.port}/v1")

    async with Upstream(UpstreamSettings(policy=OPEN)) as upstream:
        assert await kind_of_failure(upstream, route) == "address"
        assert not (await upstream.check(route.base_url)).allowed
    assert server.seen == []


async def test_a_range_opens_what_it_names(server):
    policy = Policy(allow=parse_ranges(["127.0.0.0/8"]))

    async with Upstream(UpstreamSettings(policy=policy)) as upstream:
        answer = await fetch(upstream, provider(f"http://127.0.0.1:{server.port}/v1"))

    assert answer == (200, b"{}")


async def test_redirects_are_not_followed_and_cookies_not_kept(server):
    route = provider(f"http://127.0.0.1:{server.port}/v1")

    async with Upstream(UpstreamSettings(policy=OPEN)) as upstream:
        status, _ = await fetch(upstream, route, "redirect")
        await fetch(upstream, route)
        await fetch(upstream, route)

    assert status == 302
    assert [request.cookies for request in server.seen] == [{}, {}]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "Authorization", "Bearer sk-1"), ("api_key", "api-key", "sk-1")],
)
async def test_the_credential_goes_where_the_provider_wants_it(server, auth, header, value):
    sealed = seal("sk-1", [FERNET])
    route = provider(f"http://127.0.0.1:{server.port}/v1", credential=sealed, auth=auth)

    async with Upstream(UpstreamSettings(policy=OPEN, keys=(FERNET,))) as upstream:
        await fetch(upstream, route)

    assert server.seen[0].headers[header] == value
    assert server.seen[0].headers["Accept-Encoding"] == "identity"


async def test_a_credential_that_cannot_be_opened_says_nothing_of_it(server):
    route = provider(f"http://127.0.0.1:{server.port}/v1", credential="gAAAAsecret")

    async with Upstream(UpstreamSettings(policy=OPEN, keys=(FERNET,))) as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            await fetch(upstream, route)

    assert raised.value.kind == "credential"
    assert "secret" not in str(raised.value)


async def test_a_large_body_arrives_whole_and_encoded_paths_stay_encoded(server):
    body = bytes(range(256)) * 20_000

    async with Upstream(UpstreamSettings(policy=OPEN)) as upstream:
        route = provider(f"http://127.0.0.1:{server.port}/v1/a%2Fb%3Ac/")
        answer = await fetch(upstream, route, "x", body)

    assert answer == (200, body)
    assert server.seen[0].raw_path == "/v1/a%2Fb%3Ac/x"
    assert server.seen[0].headers["Content-Length"] == str(len(body))


async def test_with_an_egress_proxy_hosts_are_listed_and_nothing_is_resolved(server):
    policy = Policy(hosts=("api.example.com",))
    settings = UpstreamSettings(policy=policy, proxy=f"http://127.0.0.1:{server.port}")

    async with Upstream(settings) as upstream:
        answer = await fetch(upstream, provider("http://api.example.com/v1"))
        refused = await kind_of_failure(upstream, provider("http://other.example.com/v1"))

    assert (answer, refused) == ((200, b"{}"), "address")
    assert server.seen[0].headers["Host"] == "api.example.com"


def certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "our own authority")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), private


async def test_certificates_are_verified_with_the_authorities_that_were_added(server, tmp_path):
    pem, private = certificate()
    (tmp_path / "both.pem").write_bytes(private + pem)
    (tmp_path / "ca.pem").write_bytes(pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "both.pem")
    site = web.TCPSite(server, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    url = f"https://localhost:{server.addresses[-1][1]}/v1"

    async with Upstream(UpstreamSettings(policy=OPEN)) as upstream:
        assert await kind_of_failure(upstream, provider(url)) == "tls"
        assert await kind_of_failure(upstream, provider(url, ca_pem="rubbish")) == "tls"
        assert (await fetch(upstream, provider(url, ca_pem=pem.decode())))[0] == 200
        wrong_name = provider(url.replace("localhost", "127.0.0.1"), ca_pem=pem.decode())
        assert await kind_of_failure(upstream, wrong_name) == "tls"
    settings = UpstreamSettings(policy=OPEN, ca_file=str(tmp_path / "ca.pem"))
    async with Upstream(settings) as upstream:
        assert (await fetch(upstream, provider(url)))[0] == 200


async def test_an_answer_beyond_the_limit_is_given_up(server):
    async with Upstream(UpstreamSettings(policy=OPEN)) as upstream:
        route = provider(f"http://127.0.0.1:{server.port}/v1")
        async with upstream.open(route, "POST", "x", b"a" * 100_000) as response:
            with pytest.raises(UpstreamFailure, match="size"):
                await response.read(50_000)


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (Timeouts(first_byte=0.2), "first_byte"),
        (Timeouts(connect=0.2, first_byte=5), "connect"),
    ],
)
async def test_a_server_that_does_not_answer_is_given_up(limits, kind):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        port = silent.getsockname()[1]
        # A full queue leaves the next connection waiting; an empty one accepts it in silence.
        fillers = []
        for _ in range(3 if kind == "connect" else 0):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        async with Upstream(UpstreamSettings(policy=OPEN, timeouts=limits)) as upstream:
            assert await kind_of_failure(upstream, provider(f"http://127.0.0.1:{port}/v1")) == kind
        for filler in fillers:
            filler.close()


async def test_a_deadline_ends_only_its_own_block():
    deadlines = Deadlines()

    with pytest.raises(TimeoutError), deadlines.after(0.05):
        await asyncio.sleep(5)
    with deadlines.after(5):
        await asyncio.sleep(0)
    await asyncio.sleep(0.15)

    assert asyncio.current_task().cancelling() == 0
    assert not deadlines._active
    assert not deadlines._is_ticking


async def test_a_cancellation_from_elsewhere_is_no_timeout():
    deadlines = Deadlines()

    async def wait():
        with deadlines.after(5):
            await asyncio.sleep(5)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
