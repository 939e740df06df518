"""Every limit of docs/gateway.md on the server as it runs in earnest, made to end soon."""

import contextlib
import json
import os
import re
import socket
import time
from dataclasses import replace

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.keys import digest, new_key
from apps.gateway.contract import CallRecord, RouteTable
from tests.fakes.provider import Script, events_of
from tests.gateway.live import running_live, until
from tests.gateway.rig import KEY
from tests.gateway.test_hostile import TRAPS

OTHER_KEY = new_key()
MIB = 1 << 20
SECONDS = 1.0
MODELS = {
    "plain": "theirs",
    "mute": "theirs?hang=head",
    "falters": "theirs?hang=mid",
    "endless": "theirs?events=400&pace=0.05",
    "held": "theirs?events=400&pace=0.05",
    "slow": "theirs?events=30&pace=0.07",
    "wide": "theirs?big=3000000",
    "unreachable": "theirs",
}
LIMITS = {
    "PILOTDASH_HEADER_SECONDS": "1",
    "PILOTDASH_BODY_SECONDS": "1",
    "PILOTDASH_CONNECT_SECONDS": "1",
    "PILOTDASH_FIRST_BYTE_SECONDS": "2",
    "PILOTDASH_SILENCE_SECONDS": "1",
    "PILOTDASH_STREAM_SECONDS": "4",
    "PILOTDASH_MAX_EVENT_BYTES": "4096",
    "PILOTDASH_CALLS_PER_KEY": "3",
    "PILOTDASH_CALLS_PER_PROCESS": "5",
}
GOOD = b'{"model":"plain","messages":[]}'
HEAD = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n".encode()
LENGTH = b"content-length: %d\r\n\r\n" % len(GOOD)
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD)


@pytest.fixture(scope="module")
def full():
    """A port at which connecting takes for ever: its queue is full."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def live(tmp_path_factory, full):
    def change(routes: RouteTable) -> RouteTable:
        """Give each alias a provider of its own, so that none rests for the sins of another."""
        here = routes.providers[5]
        candidates = {
            number: replace(one, provider_id=number) for number, one in routes.candidates.items()
        }
        providers = {number: replace(here, id=number, slug=f"p-{number}") for number in candidates}
        last = max(providers)
        providers[last] = replace(providers[last], base_url=f"http://127.0.0.1:{full}/v1")
        keys = routes.keys | {digest(OTHER_KEY): replace(routes.keys[digest(KEY)], id=29)}
        return replace(routes, providers=providers, candidates=candidates, keys=keys)

    data = tmp_path_factory.mktemp("data")
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as valkey:
        valkey.flushdb()
        with running_live(data, valkey, MODELS, change=change, **LIMITS) as live:
            yield live


@pytest.fixture
def connection(live):
    with socket.create_connection(("127.0.0.1", live.port), 10) as connection:
        yield connection


def read(connection: socket.socket, seconds: float = 10.0) -> bytes:
    """Read an answer, or nothing where the connection ends without one."""
    connection.settimeout(seconds)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while not is_whole(answer):
            if not (piece := connection.recv(65_536)):
                break
            answer += piece
    return answer


def is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if length := re.search(rb"\r\ncontent-length: (\d+)", head):
        return len(body) >= int(length[1])
    return body.endswith(b"0\r\n\r\n")


def status(answer: bytes) -> int:
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def error(answer: bytes) -> dict:
    """Return the first error of an answer; another answer may follow it."""
    body = answer.partition(b"\r\n\r\n")[2].decode()
    return json.JSONDecoder().raw_decode(body)[0]["error"]


def talk(live, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", live.port), 10) as connection:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        return read(connection)


def ask(model: str, key: str = KEY, *, stream: bool = True) -> bytes:
    body = json.dumps({"model": model, "stream": stream, "messages": []}).encode()
    head = HEAD.replace(KEY.encode(), key.encode())
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


def of_alias(live, alias: str) -> list[CallRecord]:
    return [record for record in live.records(0) if record.alias == alias]


def seconds_until_closed(connection: socket.socket) -> float:
    begun = time.monotonic()
    assert read(connection) == b""
    return time.monotonic() - begun


# --- The body


def test_a_length_beyond_the_limit_is_refused_before_the_body(connection):
    connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % (10 * MIB + 1))

    answer = read(connection, 0.9)

    assert (status(answer), error(answer)["code"]) == (413, "too_large")


def test_a_body_without_a_length_is_counted_as_it_arrives(live):
    piece = b"%x\r\n%b\r\n" % (MIB, b" " * MIB)

    answer = talk(live, HEAD + CHUNKED, *[piece] * 11)

    assert (status(answer), error(answer)["code"]) == (413, "too_large")


def test_a_length_that_lies_is_not_believed(live):
    body = GOOD + b" " * MIB

    shorter = talk(live, HEAD + b"content-length: 5\r\n\r\n" + body)
    longer = talk(live, HEAD + b"content-length: %d\r\n\r\n" % (2 * MIB) + body)

    assert (status(shorter), error(shorter)["code"]) == (400, "invalid_json")
    assert (status(longer), error(longer)["code"]) == (408, "too_slow")


def test_a_body_that_drips_is_given_up(connection):
    connection.sendall(HEAD + b"content-length: 100\r\n\r\n")
    begun = time.monotonic()

    with contextlib.suppress(ConnectionError):
        for _ in range(20):
            connection.sendall(b" ")
            time.sleep(0.1)
    answer = read(connection)

    assert (status(answer), error(answer)["code"]) == (408, "too_slow")
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_refused_in_json(live, name):
    body = TRAPS[name]

    answer = talk(live, HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)

    assert (status(answer), error(answer)["type"]) == (400, "invalid_request_error")


# --- The head


def test_headers_over_32_kib_are_refused_in_json(live):
    answer = talk(live, HEAD + b"x-filler: " + b"x" * 33_000 + b"\r\n" + LENGTH + GOOD)

    assert (status(answer), error(answer)["code"]) == (431, "too_large")


@pytest.mark.parametrize(
    "filler",
    [b"x-filler: " + b"x" * 2_000_000 + b"\r\n", b"".join(b"x-%d: 1\r\n" % n for n in range(100))],
    ids=("2 MB", "a hundred headers"),
)
def test_what_the_server_itself_does_not_take_is_refused_by_it_alone(live, filler):
    answer = talk(live, HEAD + filler + LENGTH + GOOD)

    assert status(answer) in (400, 431)
    assert answer.endswith(b"\r\n\r\n")
    assert b"content-length: 0" in answer


@pytest.mark.parametrize(
    "sent", [b"", b"POST", HEAD], ids=("nothing", "half a line", "half of the headers")
)
def test_a_head_that_does_not_come_ends_the_connection(connection, sent):
    connection.sendall(sent)

    assert SECONDS - 0.2 < seconds_until_closed(connection) < SECONDS + 2


def test_a_head_that_drips_ends_the_connection(connection):
    begun = time.monotonic()

    with contextlib.suppress(ConnectionError):
        connection.sendall(HEAD)
        for _ in range(40):
            connection.sendall(b"x")
            time.sleep(0.1)

    assert read(connection) == b""
    assert time.monotonic() - begun < 3.9


def test_an_idle_connection_is_kept_for_the_time_of_a_head_and_no_longer(connection):
    for _ in range(3):
        connection.sendall(HEAD + LENGTH + GOOD)
        assert status(read(connection)) == 200
        time.sleep(SECONDS / 2)

    assert seconds_until_closed(connection) < SECONDS + 1


def test_the_time_of_a_head_does_not_cut_a_stream(live):
    answer = talk(live, ask("slow"))

    events = events_of(Script.of(MODELS["slow"]), "/v1/chat/completions", "x", asked=False)
    assert answer.count(b"data: ") == len(events)
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


# --- What two programs could read in two ways

SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        # The length is dropped, as RFC 9112 has it, and the connection ends.
        (HEAD + b"content-length: 5\r\n" + CHUNKED + CHUNKS + SMUGGLED, 200),
        (HEAD + b"transfer-encoding: chunked\r\n" + LENGTH + CHUNKS + SMUGGLED, 200),
        (HEAD + b"content-length: 5\r\n" + LENGTH + GOOD, 400),
        (HEAD + b"content-length: 5, 5\r\n\r\n" + GOOD, 400),
        (HEAD + b"content-length: +5\r\n\r\n" + GOOD, 400),
        (HEAD + b"content-length: -5\r\n\r\n" + GOOD, 400),
        (HEAD + b"content-length: 99999999999999999999999\r\n\r\n" + GOOD, 400),
        (HEAD + b"transfer-encoding: xchunked\r\n\r\n" + CHUNKS, 400),
        (HEAD + b"transfer-encoding: chunked, identity\r\n\r\n" + CHUNKS, 400),
        (HEAD + b"transfer-encoding : chunked\r\n\r\n" + CHUNKS, 400),
        (HEAD.replace(b"1.1", b"1.0", 1) + CHUNKED + CHUNKS, 400),
        (HEAD + b"x-a: b\r\n c\r\n" + LENGTH + GOOD, 400),
        (HEAD + b"x-a: b\rc\r\n" + LENGTH + GOOD, 400),
        (HEAD + b"x-a: b\0c\r\n" + LENGTH + GOOD, 400),
        # A line may end in LF alone, says the same RFC.
        ((HEAD + LENGTH).replace(b"\r\n", b"\n") + GOOD, 200),
        (HEAD + CHUNKED + b"zz\r\n", 400),
        (HEAD + CHUNKED + b"fffffffffffffffff\r\n", 400),
        (HEAD + CHUNKED + b"5\nhello\n0\n\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        # An end of the connection, and no HTTP/2.
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
    ],
)
def test_a_request_is_read_in_one_way_or_not_at_all(connection, raw, told):
    connection.sendall(raw)

    answer = read(connection)

    # The first word counts: no second answer comes for what was hidden in the body.
    assert status(answer) == told
    assert answer.count(b"HTTP/1.1 ") <= 1
    if told != 200 and b'{"error"' not in answer:
        assert answer == b"" or b"content-length: 0" in answer
    if b"smuggled" in raw:
        assert read(connection) == b""


# --- The provider


def test_connecting_has_a_limit_of_its_own(live):
    answer = talk(live, ask("unreachable", stream=False))

    # It is tried again, within the limit for the first byte.
    assert status(answer) in (502, 504)
    until(lambda: of_alias(live, "unreachable"))
    attempt = of_alias(live, "unreachable")[0].attempts[0]
    assert attempt.error == "connect"
    assert 900 <= attempt.ended_ms - attempt.started_ms < 1_900


@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_that_does_not_answer_is_given_up(live, stream):
    begun = time.monotonic()

    answer = talk(live, ask("mute", stream=stream))

    assert (status(answer), error(answer)["code"]) == (504, "provider_timeout")
    assert 1.8 < time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("model", "least", "most"), [("falters", 0.8, 4.0), ("endless", 3.5, 8.0), ("wide", 0.0, 3.5)]
)
def test_a_stream_that_falls_silent_lasts_too_long_or_is_too_wide_ends(live, model, least, most):
    begun = time.monotonic()

    answer = talk(live, ask(model))

    assert status(answer) == 200
    assert b'data: {"error":' in answer
    assert b"[DONE]" not in answer
    assert least < time.monotonic() - begun < most


# --- At once


def test_a_key_has_so_many_calls_at_once_and_a_process_too(live):
    with contextlib.ExitStack() as open_calls:

        def begin(key: str) -> socket.socket:
            call = socket.create_connection(("127.0.0.1", live.port), 10)
            open_calls.enter_context(call)
            call.sendall(ask("held", key))
            call.recv(100)
            return call

        first = [begin(KEY) for _ in range(3)]
        one_too_many = talk(live, ask("plain"))
        for _ in range(2):
            begin(OTHER_KEY)
        first[0].close()
        time.sleep(0.3)
        begin(KEY)
        all_taken = talk(live, ask("plain", OTHER_KEY))

    assert (status(one_too_many), b"\r\nretry-after: 1\r\n" in one_too_many) == (429, True)
    assert error(one_too_many)["code"] == "too_many_at_once"
    assert (status(all_taken), b"\r\nretry-after: 1\r\n" in all_taken) == (503, True)
    assert error(all_taken)["code"] == "overloaded"


# --- Anything at all


def test_no_bytes_make_it_fail_or_hang(live):
    @given(
        st.sampled_from(
            (b"", HEAD, HEAD + CHUNKED, HEAD + LENGTH, b"POST /v1/", HEAD + LENGTH + GOOD)
        ),
        st.binary(max_size=200),
    )
    @settings(max_examples=150)
    def run(start: bytes, noise: bytes) -> None:
        with socket.create_connection(("127.0.0.1", live.port), 10) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(start + noise)
                connection.shutdown(socket.SHUT_WR)
            answer = read(connection, 5)
        assert status(answer) < 500
        if status(answer) >= 400 and b"content-length: 0" not in answer:
            assert error(answer)["message"]

    run()
    assert status(talk(live, HEAD + LENGTH + GOOD)) == 200
