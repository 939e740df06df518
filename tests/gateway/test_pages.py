"""Everything that is not the gateway's goes to the web process, both ways as it comes."""

import asyncio

import pytest
from aiohttp import web

from apps.gateway.pages import parse_proxies
from tests.gateway.rig import running


@pytest.fixture
def seen_by_web():
    return []


@pytest.fixture
def web_app(seen_by_web):
    app = web.Application(client_max_size=1 << 26)

    async def echo(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen_by_web.append((request.method, request.raw_path, headers, body))
        response = web.Response(body=b"page", status=201)
        response.headers.add("Set-Cookie", "a=1; Path=/")
        response.headers.add("Set-Cookie", "b=2; Path=/")
        response.headers["Connection"] = "x-private"
        response.headers["X-Private"] = "1"
        response.headers["X-Page"] = "1"
        if echo := headers.get("x-echo"):
            response.headers["X-Echo"] = echo
        return response

    async def slowly(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for n in range(3):
            await response.write(b"%d" % n)
            await asyncio.sleep(0.05)
        return response

    app.router.add_route("*", "/slow", slowly)
    app.router.add_route("*", "/{rest:.*}", echo)
    return app


@pytest.fixture
async def paged(tmp_path, valkey, web_app):
    async with running(tmp_path, web_app=web_app) as rig:
        yield rig


async def test_a_page_is_handed_over_as_it_is(paged, seen_by_web):
    headers = {
        "cookie": "s=1",
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
        "x-forwarded-for": "6.6.6.6",
        "x-forwarded-proto": "https",
        "x-real-ip": "6.6.6.6",
        "content-length": "5",
    }

    reply = await paged.request(
        "POST", "/a%2Fb//c?x=%20y&z", b"hello", headers, key="", client="10.0.0.9"
    )

    ((method, path, seen, body),) = seen_by_web
    assert (method, path, body) == ("POST", "/a%2Fb//c?x=%20y&z", b"hello")
    assert (seen["host"], seen["cookie"]) == ("pilot.example", "s=1")
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["x-forwarded-host"]) == (
        "10.0.0.9",
        "http",
        "pilot.example",
    )
    assert not {"x-hop", "x-real-ip"} & set(seen)
    assert (reply.status, reply.body, reply.whole) == (201, b"page", True)
    assert reply.headers["x-page"] == "1"
    assert not {"x-private", "connection"} & set(reply.headers)


@pytest.mark.parametrize("path", ["/v1/feedback", "/ingest/continue", "/readyz", "/", "/v2/x"])
async def test_these_paths_are_the_webs(paged, seen_by_web, path):
    reply = await paged.request("GET", path)

    assert reply.status == 201
    assert seen_by_web[0][1] == path


@pytest.mark.parametrize("task", ["chat", "agent"])
async def test_ratings_may_go_to_the_base_url_of_a_task(paged, seen_by_web, task):
    reply = await paged.request(
        "POST", f"/t/{task}/v1/feedback?x=1", b"{}", {"content-length": "2"}
    )

    ((method, path, _, body),) = seen_by_web
    assert (reply.status, method, path, body) == (201, "POST", "/v1/feedback?x=1", b"{}")


@pytest.mark.parametrize("path", ["/v1x", "/tasks/", "/ingest", "/ingest/nothing", "//"])
async def test_paths_that_only_look_like_the_apis_are_the_webs(paged, seen_by_web, path):
    reply = await paged.request("GET", path)

    assert (reply.status, seen_by_web[0][1]) == (201, path)


async def test_both_cookies_come_back(paged):
    messages: list[dict] = []

    async def receive():
        await asyncio.sleep(3600)  # nothing more comes from this client

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "headers": []}
    await paged.gateway(scope | {"client": None}, receive, send)

    cookies = [value for name, value in messages[0]["headers"] if name == b"set-cookie"]
    assert cookies == [b"a=1; Path=/", b"b=2; Path=/"]


async def test_headers_pass_byte_by_byte(paged, seen_by_web):
    messages: list[dict] = []

    async def receive():
        await asyncio.sleep(3600)

    async def send(message):
        messages.append(message)

    raw = "é日".encode()
    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "client": None}
    await paged.gateway(scope | {"headers": [(b"x-echo", raw)]}, receive, send)

    assert seen_by_web[0][2]["x-echo"].encode() == raw
    assert dict(messages[0]["headers"])[b"x-echo"] == raw


@pytest.mark.parametrize("value", ["a\r\nX-B: c", "a\n", "a\0"])
async def test_a_header_that_would_be_two_is_refused(paged, seen_by_web, value):
    reply = await paged.request("GET", "/", headers={"x-a": value})

    assert (reply.status, seen_by_web) == (400, [])


async def test_an_upload_arrives_in_pieces(paged, seen_by_web):
    pieces = [b"a" * 100_000] * 20

    await paged.request("PUT", "/up", pieces, {"transfer-encoding": "chunked"})

    assert seen_by_web[0][3] == b"".join(pieces)


async def test_an_upload_that_breaks_off_is_refused_in_json(paged):
    messages = [{"type": "http.request", "body": b"a", "more_body": True}]
    sent: list[dict] = []

    async def receive():
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [(b"transfer-encoding", b"chunked")]
    scope = {"type": "http", "method": "PUT", "path": "/up", "raw_path": b"/up"}
    await paged.gateway(scope | {"headers": headers, "client": None}, receive, send)

    assert sent[0]["status"] == 400
    assert b'"code":"invalid_body"' in sent[1]["body"]


async def test_a_page_is_streamed(paged):
    reply = await paged.request("GET", "/slow")

    assert reply.pieces == [b"0", b"1", b"2"]


@pytest.mark.parametrize(
    ("client", "forwarded", "proto", "told"),
    [
        ("10.0.0.1", "6.6.6.6, 7.7.7.7", "https", ("7.7.7.7", "https", "public.example")),
        ("10.0.0.2", "6.6.6.6", "https", ("10.0.0.2", "http", "pilot.example")),
        ("127.0.0.1", "127.0.0.1", "https", ("0.0.0.0", "http", "pilot.example")),
        ("127.0.0.1", "", "", ("127.0.0.1", "http", "pilot.example")),
        # The same addresses as a socket that listens on IPv6 as well sees them.
        ("::ffff:10.0.0.1", "7.7.7.7", "https", ("7.7.7.7", "https", "public.example")),
        ("::ffff:10.0.0.2", "6.6.6.6", "https", ("10.0.0.2", "http", "pilot.example")),
        ("::ffff:127.0.0.1", "127.0.0.1", "https", ("0.0.0.0", "http", "pilot.example")),
        ("::ffff:127.0.0.1", "", "", ("127.0.0.1", "http", "pilot.example")),
    ],
)
async def test_only_trusted_proxies_are_believed(
    paged, seen_by_web, client, forwarded, proto, told
):
    paged.service.pages._proxies = parse_proxies(["10.0.0.1"])
    headers = {"x-forwarded-host": "public.example"}
    headers |= {"x-forwarded-for": forwarded} if forwarded else {}
    headers |= {"x-forwarded-proto": proto} if proto else {}

    await paged.request("GET", "/", headers=headers, client=client)

    seen = seen_by_web[0][2]
    names = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
    assert tuple(seen[name] for name in names) == told


FORWARDED_TWICE = [("x-forwarded-for", "6.6.6.6, 7.7.7.7"), ("x-forwarded-for", "")]


@pytest.mark.parametrize(
    ("client", "headers", "told"),
    [
        ("127.0.0.1", FORWARDED_TWICE, "0.0.0.0"),
        ("127.0.0.1", [("x-forwarded-for", "")], "0.0.0.0"),
        ("127.0.0.1", [("forwarded", "for=127.0.0.1")], "0.0.0.0"),
        ("127.0.0.1", [("x-real-ip", "127.0.0.1")], "0.0.0.0"),
        ("10.0.0.2", FORWARDED_TWICE, "10.0.0.2"),
        # A proxy that is trusted, and yet does not say for whom it speaks.
        ("10.0.0.1", FORWARDED_TWICE, "0.0.0.0"),
        ("10.0.0.1", [("x-forwarded-for", "")], "0.0.0.0"),
        ("10.0.0.1", [("x-real-ip", "127.0.0.1")], "0.0.0.0"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "7.7.7.7")], "7.7.7.7"),
        ("10.0.0.1", [("x-forwarded-for", "7.7.7.7"), ("x-real-ip", "6.6.6.6")], "7.7.7.7"),
    ],
)
async def test_a_client_that_is_not_known_is_nobody(paged, seen_by_web, client, headers, told):
    paged.service.pages._proxies = parse_proxies(["10.0.0.1"])

    await paged.request("GET", "/", headers=headers, client=client)

    assert seen_by_web[0][2]["x-forwarded-for"] == told


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("text/html,*/*", "text/html; charset=utf-8"), ("*/*", "application/json")],
)
async def test_pages_that_are_down_say_so(rig, accept, kind):
    rig.service.pages._web = type(rig.service.pages._web)(
        id=0, slug="web", base_url="http://127.0.0.1:1", auth="none"
    )

    reply = await rig.request("GET", "/", headers={"accept": accept})

    assert (reply.status, reply.headers["content-type"]) == (503, kind)
    assert reply.headers["retry-after"] == "5"
