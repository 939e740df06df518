"""The real server stops and reloads without dropping what runs."""

import signal
import socket
import threading
import time

import pytest

from pilotdash.parts import RELOAD_SECONDS
from tests.gateway.live import running_live, until
from tests.gateway.test_server import ask, read_all

MODELS = {
    "plain": "theirs",
    "slow": "theirs?events=20&pace=0.1",
    "slower": "theirs?events=100&pace=0.1",
    "late": "theirs?pace=2",
    "busy": "theirs?status=503&retry_after=2&times=1",
}


@pytest.fixture
def live(tmp_path, valkey):
    with running_live(tmp_path, valkey, MODELS) as live:
        yield live


class Knocking:
    """Makes calls one after another, each over a connection of its own, and counts failures."""

    def __init__(self, live) -> None:
        self._live = live
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._knock)
        self.answered = 0
        self.failed: list[str] = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()

    def _knock(self) -> None:
        while not self._ended.wait(0.02):
            try:
                with self._live.send(ask("plain", stream=False)) as connection:
                    assert b" 200 " in read_all(connection)[:20]
                    self.answered += 1
            except (OSError, AssertionError) as error:
                self.failed.append(repr(error))


def test_a_reload_drops_neither_streams_nor_connections(live):
    (before,) = live.workers
    with Knocking(live) as knocking, live.send(ask("slower")) as stream:
        stream.recv(1_000)
        began = time.monotonic()
        live.process.send_signal(signal.SIGHUP)

        until(lambda: len(live.workers) == 2)
        answer = read_all(stream)
        # The old worker was told to stop while the stream ran.
        assert time.monotonic() - began > RELOAD_SECONDS + 1
        until(lambda: len(live.workers) == 1)
        answered = knocking.answered
        until(lambda: knocking.answered > answered + 5)

    assert (live.workers != [before], live.process.poll()) == (True, None)
    assert b"[DONE]" in answer
    assert knocking.failed == []
    # What the old worker had shipped may be shipped again.
    until(lambda: len({record.id for record in live.records(1)}) == knocking.answered + 1)
    records = {record.id: record for record in live.records(1)}.values()
    assert {(record.outcome, record.usage_source) for record in records} == {("ok", "provider")}
    assert sorted(record.completion_tokens for record in records)[-2:] == [3, 100]


def test_a_stop_lets_what_runs_finish_and_nobody_else_in(live):
    calls = {name: live.send(ask(name, stream=name == "slow")) for name in ("slow", "late", "busy")}
    idle = live.send(ask("plain", stream=False))
    read_all(idle)
    until(lambda: len(live.provider.seen) == 4)

    live.process.send_signal(signal.SIGTERM)

    until(lambda: not accepts(live.port))
    for connection in calls.values():
        assert read_all(connection).startswith(b"HTTP/1.1 200 ")
        connection.close()
    assert live.process.wait(10) == 0
    idle.close()
    records = {record.alias: record for record in live.records(4)}
    assert {record.outcome for record in records.values()} == {"ok"}
    assert records["slow"].completion_tokens == 20
    assert [one.status for one in records["busy"].attempts] == [503, 200]


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
