"""How one answer is asked for: what comes, what does not, and in what time."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.core.uuid7 import new_uuid7
from apps.feedback.compare_client import MOST_TOKENS, Reply, ask
from tests.gateway.live import free_port

ID = new_uuid7()
HEAD = {"x-request-id": str(ID), "x-pilotdash-candidate": "fast-one"}


def said(*words):
    events = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
    return [f"data: {json.dumps(event)}\n\n".encode() for event in events]


END = b"data: [DONE]\n\n"


class Server:
    """Answers every request with one script and keeps what it was sent."""

    def __init__(self):
        self.status, self.headers, self.pieces, self.pause = 200, HEAD, [], 0.0
        self.seen = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                server.seen.append((self.path, self.headers["authorization"], json.loads(body)))
                self.send_response(server.status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for piece in server.pieces:
                    time.sleep(server.pause)
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_):
                pass

            def handle(self):
                with contextlib.suppress(ConnectionError):
                    super().handle()

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def ask(self, prompt="Why?", **fields):
        asked = {"token": "pdi_x", "candidate": "fast-one", "seconds": 5.0} | fields
        return ask(**{"url": self.url, "prompt": prompt} | asked)

    def refuses(self, status, code):
        self.status = status
        self.pieces = [json.dumps({"error": {"message": "no", "code": code}}).encode()]


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def test_an_answer_is_put_together_from_its_stream(server):
    server.pieces = [b": a comment\n\n", *said("", "Grü", "ße"), b'data: {"choices":[]}\n\n', END]

    reply = server.ask("Wozu?")

    assert (reply.text, reply.call_id, reply.problem) == ("Grüße", ID, "")
    assert 0 <= reply.first_content_ms <= reply.total_ms < 5_000
    ((path, key, body),) = server.seen
    assert (path, key) == ("/v1/chat/completions", "Bearer pdi_x")
    assert body == {
        "model": "compare",
        "messages": [{"role": "user", "content": "Wozu?"}],
        "max_tokens": MOST_TOKENS,
        "stream": True,
    }


@pytest.mark.parametrize(
    ("pieces", "problem"),
    [
        ([END], "empty"),
        ([*said(" \n"), END], "empty"),
        # Cut off, in whatever way: nobody judges half an answer.
        (said("Half"), "failed"),
        ([*said("Half"), b'data: {"error":{"message":"it ran away"}}\n\n', END], "failed"),
        ([*said("Half"), b'data: {"choices": [\n\n', END], "failed"),
        ([b"data: 7\n\n", END], "failed"),
    ],
)
def test_an_answer_that_is_not_whole_is_none(server, pieces, problem):
    server.pieces = pieces

    reply = server.ask()

    assert (reply.text, reply.call_id, reply.problem) == ("", ID, problem)


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (429, "insufficient_quota", "money"),
        (429, "rate_limit_exceeded", "limit"),
        (429, "too_many_at_once", "limit"),
        (403, "pilot_not_open", "closed"),
        (410, "pilot_not_open", "closed"),
        (400, "context_length_exceeded", "refused"),
        (413, "too_large", "refused"),
        (401, "invalid_api_key", "failed"),
        (502, None, "failed"),
        (503, "paused_model", "failed"),
    ],
)
def test_a_refusal_is_kept_as_one_word(server, status, code, problem):
    server.refuses(status, code)

    assert server.ask().problem == problem


def test_a_refusal_in_no_known_shape_is_one_too(server):
    server.status, server.pieces = 500, [b"<html>"]

    assert server.ask().problem == "failed"


def test_somebody_else_in_its_place_is_no_answer(server):
    server.headers = HEAD | {"x-pilotdash-candidate": "another"}
    server.pieces = [*said("Hello"), END]

    assert server.ask().problem == "failed"


@pytest.mark.parametrize("pause", [0.6, 0.2])
def test_who_is_too_slow_is_late_however_it_drips(server, pause):
    server.pause, server.pieces = pause, [*said("a", "b", "c", "d"), END]
    # Each piece alone would be in time for the second of them; all of them never are.
    reply = server.ask(seconds=0.5)

    assert (reply.text, reply.problem) == ("", "late")


def test_a_gateway_that_is_away_is_told_apart():
    reply = ask(
        url=f"http://127.0.0.1:{free_port()}", token="x", prompt="?", candidate="c", seconds=5
    )

    assert (reply.problem, reply.call_id) == ("unreachable", None)


def test_an_endless_answer_ends(server):
    server.pieces = said(*["x" * 10_000] * 30)

    reply = server.ask()

    assert (len(reply.text), reply.problem) == (210_000, "")


def test_a_reply_has_no_problem_unless_it_says_so():
    assert Reply().problem == ""
