import asyncio
import contextlib

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.resp import Connection, Refused, Unavailable, packed


@contextlib.asynccontextmanager
async def server(answer):
    """A server of which `answer` says what it writes when it has read so many bytes."""

    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(1 << 16):
                if (reply := answer(data)) is None:
                    return
                writer.write(reply)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}/0"
    finally:
        listening.close()
        await listening.wait_closed()


INFO = b"$12\r\nrun_id:abc\r\n\r\n"


async def test_replies_come_in_order_and_a_refused_command_stops_none(valkey):
    async with Connection(settings.REDIS_URL) as connection:
        replies = await connection.call(
            ("SET", "a", "1"), ("HGET", "a", "x"), ("INCR", "a"), ("GET", "a"), ("GET", "none")
        )

    assert (replies[0], replies[2:]) == (b"OK", [2, b"2", None])
    assert isinstance(replies[1], Refused)
    assert str(replies[1]).startswith("WRONGTYPE")


async def test_many_at_once_get_their_own_replies(valkey):
    async with Connection(settings.REDIS_URL) as connection:
        found = await asyncio.gather(*(connection.ask("ECHO", str(n)) for n in range(500)))

    assert found == [str(n).encode() for n in range(500)]


async def test_one_turn_of_the_loop_is_one_write():
    seen = []

    def answer(data):
        seen.append(data)
        return INFO if b"INFO" in data else b"+OK\r\n" * data.count(b"PING")

    async with server(answer) as url, Connection(url) as connection:
        await connection.connect()
        await asyncio.gather(*(connection.ask("PING") for _ in range(20)))

    assert len(seen) == 2
    assert connection.run_id == "abc"


async def test_who_stops_waiting_takes_no_reply_from_others(valkey):
    async with Connection(settings.REDIS_URL) as connection:
        await connection.connect()
        waiting = asyncio.create_task(connection.ask("ECHO", "first"))
        await asyncio.sleep(0)
        waiting.cancel()

        assert await connection.ask("ECHO", "second") == b"second"


async def test_a_lost_connection_is_told_to_all_and_made_again():
    left = [1]

    def answer(data):
        if b"INFO" in data:
            return INFO
        left[0] -= 1
        return None if left[0] == 0 else b"+OK\r\n"

    async with server(answer) as url, Connection(url) as connection:
        await connection.connect()
        sent = [connection.send(packed(("PING",))) for _ in range(3)]
        found = await asyncio.gather(*sent, return_exceptions=True)
        again = await connection.ask("PING")

    assert [type(one) for one in found] == [Unavailable] * 3
    assert again == b"OK"


async def test_nobody_listens():
    connection = Connection("redis://127.0.0.1:1/0")

    with pytest.raises(Unavailable, match="not connected"):
        connection.send(b"")
    with pytest.raises(Unavailable, match="ConnectionRefusedError"):
        await connection.ask("PING")
    assert (connection.is_open, connection.oldest_wait) == (False, 0.0)


async def test_a_server_that_refuses_our_password_is_no_connection():
    async with server(lambda _: b"-WRONGPASS no\r\n" * 2) as url:
        connection = Connection(url.replace("redis://", "redis://user:secret@"))
        with pytest.raises(Unavailable, match="WRONGPASS"):
            await connection.connect()


async def test_what_is_not_the_protocol_ends_the_connection():
    async with server(lambda data: INFO if b"INFO" in data else b"HTTP/1.1 400\r\n") as url:
        connection = Connection(url)
        with pytest.raises(Unavailable):
            await connection.ask("PING")


async def test_what_is_published_is_heard(valkey):
    heard = []

    async def listen():
        async with Connection(settings.REDIS_URL) as connection:
            async for message in connection.messages("pilotdash:test"):
                heard.append(message)
                if len(heard) == 2:
                    return

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        while not valkey.publish("pilotdash:test", "one"):
            await asyncio.sleep(0.01)
        valkey.publish("pilotdash:test", "two")
        await listening

    assert heard == [b"one", b"two"]


@given(st.lists(st.binary(max_size=40) | st.text(max_size=20) | st.integers(), min_size=1))
def test_a_packed_command_says_how_long_each_part_is(command):
    raw, parts = packed(command), []
    count, _, rest = raw[1:].partition(b"\r\n")
    for _ in range(int(count)):
        length, _, rest = rest[1:].partition(b"\r\n")
        parts.append(rest[: int(length)])
        rest = rest[int(length) + 2 :]

    assert rest == b""
    assert parts == [one if isinstance(one, bytes) else str(one).encode() for one in command]
