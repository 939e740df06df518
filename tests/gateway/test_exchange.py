"""One request and its answer over real sockets: reuse, retries, limits, and leaving at any time."""

import asyncio
import socket

import pytest

from apps.gateway.contract import ProviderRoute
from apps.gateway.exchange import PIECE
from apps.gateway.http1 import MOST_WAITING
from apps.gateway.upstream import Timeouts, UpstreamFailure
from tests.gateway.talking import CHUNKED, OK, PLAIN, always, fetch, serving, upstream_of


async def test_one_after_another_shares_a_connection_and_at_once_does_not():
    async with serving(always) as (server, route), upstream_of() as upstream:
        for _ in range(5):
            assert await fetch(upstream, route) == (b"ok", [""])
        alone = server.connections
        await asyncio.gather(*[fetch(upstream, route) for _ in range(5)])

    assert (alone, server.connections) == (1, 5)


async def test_another_authority_means_another_connection():
    async with serving(always) as (server, route), upstream_of() as upstream:
        await fetch(upstream, route)
        await fetch(upstream, ProviderRoute(id=1, slug="p", base_url=route.base_url, ca_pem="x"))

    assert server.connections == 2


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_connection_that_ended_while_idle_is_noticed(end):
    async def once(server, reader, writer):
        await server.request(reader)
        writer.write(PLAIN)
        await asyncio.sleep(0.05)
        if end == "reset":
            options = b"\1\0\0\0\0\0\0\0"
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, options)
        writer.transport.abort() if end == "reset" else writer.close()
        raise ConnectionError

    async with serving(once) as (server, route), upstream_of() as upstream:
        await fetch(upstream, route)
        await asyncio.sleep(0.15)
        # Noticed before it was tried: one try is enough.
        assert await fetch(upstream, route) == (b"ok", [""])

    assert server.connections == 2


async def test_a_connection_that_dies_under_the_next_request_is_replaced_once():
    async def dying(server, reader, writer):
        await server.request(reader)
        writer.write(PLAIN)
        await reader.readexactly(1)
        writer.transport.abort()

    async with serving(dying) as (server, route), upstream_of() as upstream:
        await fetch(upstream, route)
        assert await fetch(upstream, route) == (b"ok", ["dead_connection", ""])
    assert server.connections == 2


async def test_a_body_that_cannot_be_repeated_is_sent_over_no_connection_that_may_be_dead():
    async def dying(server, reader, writer):
        await server.request(reader)
        writer.write(PLAIN)
        await reader.readexactly(1)
        writer.transport.abort()

    async def arriving():
        yield b"once"

    async with serving(dying) as (server, route), upstream_of() as upstream:
        await fetch(upstream, route)
        headers = {"Content-Length": "4"}
        async with upstream.open_as_is(route, "POST", "/x", arriving(), headers) as response:
            assert await response.read(10) == b"ok"
    assert server.connections == 2
    assert server.read.endswith(b"once")


async def test_a_connection_that_answered_with_a_part_is_not_tried_again():
    async def partly(server, reader, writer):
        await server.request(reader)
        if server.connections == 1:
            writer.write(PLAIN)
            await server.request(reader)
            writer.write(b"HTTP/1.1 2")
            writer.close()

    async with serving(partly) as (server, route), upstream_of() as upstream:
        await fetch(upstream, route)
        with pytest.raises(UpstreamFailure) as raised:
            await fetch(upstream, route)
    assert (raised.value.kind, server.connections) == ("broken", 1)


async def test_what_had_come_of_a_broken_answer_is_not_lost():
    async def cut(server, reader, writer):
        await server.request(reader)
        writer.write(CHUNKED + b"5\r\nhello\r\n")
        writer.close()

    async with (
        serving(cut) as (_, route),
        upstream_of() as upstream,
        upstream.open(route, "POST", "x", b"{}") as response,
    ):
        await asyncio.sleep(0.1)
        first = await response.chunk()
        with pytest.raises(UpstreamFailure, match="broken"):
            await response.chunk()
    assert first == b"hello"


async def test_a_slow_consumer_makes_the_server_wait():
    total, piece = 50 << 20, b"a" * (1 << 16)

    async def pouring(server, reader, writer):
        await server.request(reader)
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % total)
        for _ in range(total // len(piece)):
            writer.write(piece)
            await writer.drain()

    async with serving(pouring) as (_, route), upstream_of() as upstream:
        largest, size = 0, 0
        async with upstream.open(route, "POST", "x", b"{}") as response:
            while chunk := await response.chunk():
                largest, size = max(largest, len(chunk)), size + len(chunk)
                await asyncio.sleep(0)
                if size < 10 * MOST_WAITING:
                    await asyncio.sleep(0.01)
    assert size == total
    assert largest <= 4 * MOST_WAITING


async def test_a_slow_server_makes_a_large_body_wait():
    async def reading_slowly(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        server.held = upstream_buffer()
        await reader.readexactly(len(body))
        writer.write(PLAIN)

    body = b"a" * (64 * PIECE)

    async with serving(reading_slowly) as (server, route), upstream_of() as upstream:

        def upstream_buffer():
            (connection,) = upstream.connections.pool._open
            return connection._transport.get_write_buffer_size()

        assert await fetch(upstream, route, body) == (b"ok", [""])
    assert server.held <= 2 * PIECE


async def test_a_refusal_that_comes_before_the_body_was_sent_is_read():
    async def refusing(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    async with serving(refusing) as (server, route), upstream_of() as upstream:
        async with upstream.open(route, "POST", "x", b"a" * (64 * PIECE)) as response:
            assert (response.status, await response.read(100)) == (413, b"no")
        await fetch(upstream, route, b"a" * (64 * PIECE))
    assert server.connections == 2


async def test_a_body_that_arrives_is_sent_in_chunks_as_it_does():
    async def arriving():
        # An empty chunk would be the end.
        for piece in (b"one", b"", b"two" * 10_000):
            yield piece

    async def whole(server, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        server.read = await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(PLAIN)

    async with serving(whole) as (server, route), upstream_of() as upstream:
        assert await fetch(upstream, route, arriving()) == (b"ok", [""])
    assert server.read == b"3\r\none\r\n%x\r\n" % 30_000 + b"two" * 10_000 + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("body", [b"four", b"sixsix"])
async def test_a_body_that_is_not_as_long_as_it_said_closes_the_connection(body):
    async def arriving():
        yield body

    async with serving(always) as (server, route), upstream_of() as upstream:
        exchange = upstream.open_as_is(
            route, "POST", "/x", arriving(), {"Content-Length": "5", "Host": "a.example"}
        )
        with pytest.raises(UpstreamFailure) as raised:
            async with exchange:
                pass
        await asyncio.wait_for(server.ended.wait(), 1)
    assert raised.value.kind == "request"
    assert not server.read.endswith(b"sixsix")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("x", {"X-A": "b\r\nX-C: d"}),
        ("x", {"X-A": "b\nX-C: d"}),
        ("x", {"X-A": "b\0"}),
        ("x", {"X-A": "日"}),
        ("x", {"X-A\r\nX-B": "c"}),
        ("x", {"X A": "c"}),
        ("x", {"X-A: b\r\nX-C": "d"}),
        ("x", {"": "c"}),
        ("x y", {}),
        ("x\r\nHost: a", {}),
        ("x\0", {}),
    ],
)
async def test_what_could_end_a_line_early_is_refused_before_anything_is_sent(path, headers):
    async with serving(always) as (server, route), upstream_of() as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            upstream.open(route, "POST", path, b"", headers)
        with pytest.raises(UpstreamFailure) as as_is:
            upstream.open_as_is(route, "POST", f"/{path}", b"", headers)
    assert (raised.value.kind, as_is.value.kind, server.connections) == ("request", "request", 0)


async def test_a_request_is_what_was_asked_for_and_little_else():
    async with serving(always) as (server, route), upstream_of() as upstream:
        headers = {"Content-Type": "a/b", "content-length": "99", "host": "evil", "Connection": "x"}
        async with upstream.open(route, "POST", "x?y=%2F", b"{}", headers):
            pass
    host = route.base_url.removeprefix("http://").removesuffix("/v1").encode()
    assert server.read == (
        b"POST /v1/x?y=%2F HTTP/1.1\r\nHost: " + host + b"\r\nUser-Agent: PilotDash/0.1\r\n"
        b"Accept-Encoding: identity\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\n{}"
    )


# Whoever leaves closes the connection at once.


async def no_answer(server, reader, writer):
    await server.request(reader)


async def head_only(server, reader, writer):
    await server.request(reader)
    writer.write(CHUNKED)


async def endless(server, reader, writer):
    await server.request(reader)
    writer.write(CHUNKED + b"2\r\nhi\r\n")


async def not_even_reading(server, reader, writer):
    await asyncio.sleep(0.3)


async def cancel(task: asyncio.Task) -> None:
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("talk", [no_answer, head_only, endless, not_even_reading])
@pytest.mark.parametrize("size", [2, 64 * PIECE])
async def test_leaving_in_any_phase_closes_the_connection(talk, size):
    async with serving(talk) as (server, route), upstream_of() as upstream:
        await cancel(asyncio.create_task(fetch(upstream, route, b"a" * size)))
        await asyncio.wait_for(server.ended.wait(), 1)
        assert not upstream.connections.pool._open
    assert server.connections == 1


async def test_leaving_a_block_before_the_end_closes_the_connection():
    async with serving(endless) as (server, route), upstream_of() as upstream:
        async with upstream.open(route, "POST", "x", b"{}") as response:
            assert await response.chunk() == b"hi"
        await asyncio.wait_for(server.ended.wait(), 1)


async def test_leaving_while_a_certificate_is_awaited_closes_the_connection():
    async def silent(server, reader, writer):
        await reader.read(1)

    async with serving(silent) as (server, route), upstream_of() as upstream:
        tls = ProviderRoute(id=1, slug="p", base_url=route.base_url.replace("http:", "https:"))
        await cancel(asyncio.create_task(fetch(upstream, tls)))
        await asyncio.wait_for(server.ended.wait(), 1)


@pytest.mark.parametrize(
    ("talk", "limits", "kind"),
    [
        (no_answer, Timeouts(first_byte=0.2), "first_byte"),
        (head_only, Timeouts(first_byte=0.2), "first_byte"),
        (not_even_reading, Timeouts(first_byte=0.2), "first_byte"),
        (endless, Timeouts(silence=0.2), "silence"),
        (endless, Timeouts(silence=5, whole=0.3), "whole"),
    ],
)
async def test_each_phase_has_its_limit(talk, limits, kind):
    async with serving(talk) as (server, route), upstream_of(timeouts=limits) as upstream:
        body = b"a" * (64 * PIECE if talk is not_even_reading else 2)
        with pytest.raises(UpstreamFailure) as raised:
            await fetch(upstream, route, body)
        await asyncio.wait_for(server.ended.wait(), 1)
        assert not upstream.connections.deadlines._active
    assert raised.value.kind == kind


async def test_idle_connections_are_closed_after_a_while(monkeypatch):
    monkeypatch.setattr("apps.gateway.pool.KEEPALIVE_SECONDS", 0.1)
    monkeypatch.setattr("apps.gateway.pool.SWEEP_SECONDS", 0.1)

    async with serving(always) as (server, route), upstream_of() as upstream:
        await fetch(upstream, route)
        await asyncio.wait_for(server.ended.wait(), 1)
        await asyncio.sleep(0.15)
        assert upstream.connections.pool._sweeper is None
        assert upstream.connections.pool._idle == {}


async def test_only_so_many_connections_are_kept(monkeypatch):
    monkeypatch.setattr("apps.gateway.pool.MOST_IDLE", 2)

    async with serving(always) as (_, route), upstream_of() as upstream:
        await asyncio.gather(*[fetch(upstream, route) for _ in range(5)])
        await asyncio.sleep(0.05)
        kept = len(upstream.connections.pool._open)
    assert kept == 2


async def test_closing_closes_what_is_in_use():
    async with serving(endless) as (server, route):
        upstream = upstream_of()
        async with upstream.open(route, "POST", "x", b"{}") as response:
            await response.chunk()
            await upstream.aclose()
            with pytest.raises(UpstreamFailure, match="broken"):
                await response.chunk()
        await asyncio.wait_for(server.ended.wait(), 1)
