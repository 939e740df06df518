"""The lines of calls as a server writes them: whole, without secrets, and held up by nobody."""

import json
import os
import time

from tests.gateway.live import running_live, until
from tests.gateway.rig import KEY, SECRET

MODELS = {
    "plain": "theirs",
    "echo": f"theirs?echo={SECRET}",
    "refuses": f"theirs?status=401&raw={SECRET}",
    "fails": "theirs?status=500&raw=planted-error",
    "garbled": "theirs?garbage_at=1",
    "cut": "theirs?cut_at=1",
}
PLANTED = (KEY, SECRET, "planted", "Grüße")


def ask(live, model: str, *, stream: bool = False) -> bytes:
    messages = [{"role": "user", "content": "planted-prompt"}]
    asked = {"model": model, "stream": stream, "user": "planted-user", "messages": messages}
    with live.send(json.dumps(asked).encode()) as connection:
        return connection.recv(65_536)


def test_every_line_is_whole_and_holds_nothing_that_was_planted(tmp_path, valkey):
    written = tmp_path / "output"
    with (
        written.open("ab") as output,
        running_live(tmp_path, valkey, MODELS, output=output.fileno(), GATEWAY_WORKERS="2") as live,
    ):
        for model in MODELS:
            for stream in (True, False):
                ask(live, model, stream=stream)
        with live.send(b'{"model":"planted-model"}') as connection:
            assert b" 404 " in connection.recv(4_096)[:20]
        with live.send(b"{}", "/v1/planted-path") as connection:
            assert b" 404 " in connection.recv(4_096)[:20]
        until(lambda: written.read_bytes().count(b'"event":') == 2 * len(MODELS) + 2)

        text = written.read_text()

    assert [planted for planted in PLANTED if planted in text] == []
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    calls = [line for line in lines if line["event"] == "call"]
    assert {line["alias"] for line in calls} == set(MODELS)
    assert sorted(line["reason"] for line in lines if line["event"] == "refusal") == [
        "unknown_model",
        "unknown_path",
    ]
    assert {line["error"] for line in calls if line["alias"] == "fails"} == {"provider status 500"}


def test_the_lines_may_be_switched_off(tmp_path, valkey):
    written = tmp_path / "output"
    with (
        written.open("ab") as output,
        running_live(
            tmp_path, valkey, MODELS, output=output.fileno(), PILOTDASH_CALL_LOG="off"
        ) as live,
    ):
        ask(live, "plain")
        live.records(1)
        time.sleep(0.3)

    assert '"event"' not in written.read_text()


def test_an_output_that_nobody_reads_holds_up_no_call(tmp_path, valkey):
    reader, writer = os.pipe()
    try:
        with running_live(tmp_path, valkey, MODELS, output=writer) as live:
            begun = time.monotonic()
            for _ in range(150):
                assert b" 200 " in ask(live, "plain")[:20]
            seconds = time.monotonic() - begun

            assert len(live.records(150)) == 150
            assert seconds < 10
    finally:
        os.close(reader)
        os.close(writer)
