"""Where answers end, what is refused, and what never becomes part of the next answer."""

import asyncio
import gc
import weakref
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.http1 import HEADER_LIMIT, MOST_WAITING, Connection, Origin

ORIGIN = Origin("http", "127.0.0.1", 80)
OK = b"HTTP/1.1 200 OK\r\n"
PLAIN = OK + b"Content-Length: 2\r\n\r\nok"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Transport(asyncio.Transport):
    """Notes what a connection does to it."""

    def __init__(self):
        super().__init__()
        self.sent = b""
        self.is_aborted = self.is_paused = False

    def write(self, data):
        self.sent += data

    def abort(self):
        self.is_aborted = True

    def pause_reading(self):
        self.is_paused = True

    def resume_reading(self):
        self.is_paused = False


def connected() -> tuple[Connection, Transport, list[Connection]]:
    ended: list[Connection] = []
    connection, transport = Connection(ORIGIN, ended.append), Transport()
    connection.connection_made(transport)
    return connection, transport, ended


def in_loop(test):
    """Run what needs a loop but waits for nothing, many times and cheaply."""

    async def run():
        return test()

    return asyncio.run(run())


def answered(pieces: list[bytes], *, ends: bool = False, method: str = "GET"):
    """Return (status, headers, body, is_whole, error, is_reusable) of an answer in pieces."""
    connection, transport, _ = connected()
    connection.begin(b"", is_head=method == "HEAD", is_sent=True)
    body = b""
    for piece in pieces:
        if transport.is_aborted:
            break
        connection.data_received(piece)
        if connection.pieces:
            body += connection.take()
    if ends and not transport.is_aborted:
        connection.eof_received()
    assert transport.is_aborted or not ends
    connection.connection_lost(None) if transport.is_aborted else None
    return (
        connection.status,
        connection.headers,
        body,
        connection.is_whole,
        connection.error,
        connection.is_reusable,
    )


LENGTH_2 = [(b"Content-Length", b"2")]
FRAMED = {
    "length": (PLAIN, (200, LENGTH_2, b"ok", True, "", True)),
    "chunks": (
        CHUNKED + b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n",
        (200, [(b"Transfer-Encoding", b"chunked")], b"hello world", True, "", True),
    ),
    "interim": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + PLAIN,
        (200, LENGTH_2, b"ok", True, "", True),
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, [], b"", True, "", True)),
    "not modified": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n",
        (304, LENGTH_2, b"", True, "", True),
    ),
    "empty values": (
        OK + b"X-Empty:\r\nx-empty: \r\nContent-Length: 0\r\n\r\n",
        (
            200,
            [(b"X-Empty", b""), (b"x-empty", b""), (b"Content-Length", b"0")],
            b"",
            True,
            "",
            True,
        ),
    ),
    "old": (
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        (200, LENGTH_2, b"ok", True, "", False),
    ),
    "closing": (
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok",
        (200, [(b"Connection", b"close"), *LENGTH_2], b"ok", True, "", False),
    ),
}
UNTIL_CLOSE = {
    "bare": (OK + b"\r\nuntil the end", b"until the end"),
    "old": (b"HTTP/1.0 200 OK\r\n\r\n", b""),
    "identity": (OK + b"Transfer-Encoding: identity\r\n\r\nabc", b"abc"),
}
BROKEN = {
    "no http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "length and chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
    "folded": OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "nul": OK + b"X: \0\r\nContent-Length: 2\r\n\r\nok",
    "negative": OK + b"Content-Length: -2\r\n\r\nok",
    "no chunk": CHUNKED + b"zz\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz",
}


@pytest.mark.parametrize("name", FRAMED)
def test_an_answer_is_the_same_wherever_it_is_cut_in_two(name):
    raw, expected = FRAMED[name]

    for at in range(len(raw)):
        assert in_loop(lambda at=at: answered([raw[:at], raw[at:]] if at else [raw])) == expected


@given(st.sampled_from(sorted(FRAMED)), st.lists(st.integers(1, 200), max_size=12))
def test_an_answer_is_the_same_in_any_pieces(name, cuts):
    raw, expected = FRAMED[name]
    edges = [0, *sorted({cut for cut in cuts if cut < len(raw)}), len(raw)]
    pieces = [raw[a:b] for a, b in pairwise(edges)]

    assert in_loop(lambda: answered(pieces)) == expected


@pytest.mark.parametrize("name", UNTIL_CLOSE)
def test_an_answer_without_a_length_ends_with_the_connection(name):
    raw, body = UNTIL_CLOSE[name]

    for at in range(1, len(raw)):
        status, _, seen, is_whole, error, is_reusable = in_loop(
            lambda at=at: answered([raw[:at], raw[at:]], ends=True)
        )
        assert (status, seen, is_whole, error, is_reusable) == (200, body, True, "", False)


@pytest.mark.parametrize("name", FRAMED)
def test_a_cut_answer_never_looks_whole(name):
    raw, _ = FRAMED[name]

    for at in range(1, len(raw)):
        *_, is_whole, error, is_reusable = in_loop(lambda at=at: answered([raw[:at]], ends=True))
        assert (is_whole, error, is_reusable) == (False, "broken", False)


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_answer_is_broken_wherever_it_is_cut(name):
    raw = BROKEN[name]

    for at in range(len(raw)):
        pieces = [raw[:at], raw[at:]] if at else [raw]
        *_, is_whole, error, is_reusable = in_loop(lambda pieces=pieces: answered(pieces))
        assert (is_whole, error, is_reusable) == (False, "broken", False)


@pytest.mark.parametrize(
    ("head", "is_kept"), [(PLAIN[:-2], True), (CHUNKED, True), (OK + b"\r\n", False)]
)
def test_the_answer_to_head_has_no_body_whatever_it_says(head, is_kept):
    def test():
        connection, transport, _ = connected()
        connection.begin(b"", is_head=True, is_sent=True)
        connection.data_received(head)
        seen = connection.status, connection.is_whole, list(connection.pieces)
        kept = connection.finish()
        connection.begin(b"", is_head=False, is_sent=True)
        connection.data_received(PLAIN)
        return seen, kept, transport.is_aborted, connection.pieces == [b"ok"]

    assert in_loop(test) == ((200, True, []), is_kept, not is_kept, is_kept)


@pytest.mark.parametrize("name", [*FRAMED])
@pytest.mark.parametrize("more", [b"H", b"x", b"\0", PLAIN, PLAIN[:20], b"GET / HTTP/1.1\r\n"])
def test_what_follows_an_answer_never_becomes_part_of_it_or_of_the_next(name, more):
    raw, expected = FRAMED[name]

    together = in_loop(lambda: answered([raw + more]))
    afterwards = in_loop(lambda: answered([raw, more]))

    assert together == afterwards == (*expected[:5], False)


def test_what_comes_while_nobody_asked_closes_the_connection():
    def test():
        connection, transport, ended = connected()
        connection.begin(b"", is_head=False, is_sent=True)
        connection.data_received(PLAIN)
        kept = connection.finish()
        connection.data_received(PLAIN)
        return kept, transport.is_aborted, ended == [connection], connection.pieces

    assert in_loop(test) == (True, True, True, [])


def test_an_answer_before_its_request_was_sent_does_not_leave_the_connection_usable():
    def test():
        connection, transport, _ = connected()
        connection.begin(b"", is_head=False, is_sent=False)
        connection.data_received(PLAIN)
        return connection.is_whole, connection.finish(), transport.is_aborted

    assert in_loop(test) == (True, False, True)


@pytest.mark.parametrize("size", [1, 1 << 10, 1 << 16, 1 << 18])
@pytest.mark.parametrize(
    "endless",
    [
        OK + b"X: " + b"a" * (HEADER_LIMIT + 1) + b"\r\nContent-Length: 2\r\n\r\nok",
        OK + b"X: a\r\n" * (HEADER_LIMIT // 5) + b"Content-Length: 2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n" * (HEADER_LIMIT // 20),
        CHUNKED + b"2;" + b"a" * (HEADER_LIMIT * 5),
        CHUNKED + b"0\r\n" + b"X: a\r\n" * HEADER_LIMIT,
    ],
    ids=["one header", "many headers", "interim", "extension", "trailers"],
)
def test_headers_have_a_limit(endless, size):
    if size == 1:
        endless = endless[: 2 * HEADER_LIMIT]
    pieces = [endless[at : at + size] for at in range(0, len(endless), size)]

    *_, is_whole, error, _ = in_loop(lambda: answered(pieces))

    assert (is_whole, error) == (False, "broken")


def test_a_header_just_below_the_limit_is_read():
    value = b"a" * (HEADER_LIMIT - 100)
    raw = OK + b"X: " + value + b"\r\nContent-Length: 2\r\n\r\nok"

    status, headers, body, *_ = in_loop(lambda: answered([raw]))

    assert (status, headers[0], body) == (200, (b"X", value), b"ok")


def test_reading_pauses_while_nobody_takes():
    def test():
        connection, transport, _ = connected()
        connection.begin(b"", is_head=False, is_sent=True)
        connection.data_received(OK + b"Content-Length: 1000000\r\n\r\n")
        seen = []
        for _ in range(5):
            connection.data_received(b"a" * (MOST_WAITING // 4))
            seen.append(transport.is_paused)
        taken = len(connection.take())
        return seen, taken, transport.is_paused

    # The head counts as well, so the fourth quarter is over the limit.
    assert in_loop(test) == ([False, False, False, True, True], MOST_WAITING // 4 * 5, False)


def test_a_connection_that_is_left_is_not_kept_alive_by_its_parser():
    async def run():
        connection, _, _ = connected()
        connection.connection_lost(None)
        return weakref.ref(connection)

    gc.disable()
    try:
        assert asyncio.run(run())() is None
    finally:
        gc.enable()
