"""The gateway under its real server: kills, routes on disk, a reverse proxy in front."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from apps.core.keys import digest
from apps.gateway.contract import ROUTES_CHANNEL, ROUTES_KEY, ROUTES_VERSION_KEY
from tests.fakes.provider import Script, events_of
from tests.gateway.live import ROOT, free_port, is_up, running_live, until
from tests.gateway.rig import KEY, table

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
MODELS = {
    "plain": "theirs",
    "endless": "theirs?events=100000&pace=0.02",
    "slow": "theirs?events=40&pace=0.05",
}


def ask(model: str, *, stream: bool = True) -> bytes:
    message = {"role": "user", "content": "hi"}
    return json.dumps({"model": model, "stream": stream, "messages": [message]}).encode()


@pytest.fixture
def live(tmp_path, valkey):
    with running_live(tmp_path, valkey, MODELS) as live:
        yield live


def read_all(connection: socket.socket) -> bytes:
    """Read until the end of a chunked or sized answer."""
    answer = b""
    while not (answer.endswith(b"0\r\n\r\n") or b"\r\n\r\n{" in answer):
        piece = connection.recv(65_536)
        assert piece, answer
        answer += piece
    return answer


def test_a_killed_worker_is_replaced_and_its_open_call_is_recorded(live):
    with live.send(ask("plain")) as connection:
        assert b"[DONE]" in read_all(connection)
    with live.send(ask("endless")) as connection:
        connection.recv(1_000)
        (worker,) = live.workers

        os.kill(worker, signal.SIGKILL)

        until(lambda: live.workers not in ([], [worker]))
        # What the dead one had shipped is shipped again; the database removes what it knows.
        until(lambda: len({record.id for record in live.records(1)}) == 2, 20)
    outcomes = {record.id: record.outcome for record in live.records(2)}
    assert sorted(outcomes.values()) == ["crashed_unknown", "ok"]
    with live.send(ask("plain")) as connection:
        assert b"[DONE]" in read_all(connection)


def test_a_gateway_starts_and_serves_with_the_routes_on_disk(live, tmp_path, valkey):
    os.killpg(live.process.pid, signal.SIGKILL)
    live.process.wait()
    valkey.delete(ROUTES_KEY, ROUTES_VERSION_KEY)
    environment = {"REDIS_URL": "redis://127.0.0.1:1/0", "PORT": str(live.port)}
    settings = (
        os.environ
        | environment
        | {
            "PILOTDASH_DATA": str(tmp_path),
            "HOST": "127.0.0.1",
            "PILOTDASH_ENCRYPTION_KEYS": "kCsU0dkRjLsNJZ2tGC0lStRe3qcXlXOc1FAAbQ3Yb3Q=",
        }
    )
    restarted = subprocess.Popen(
        [sys.executable, "-m", "pilotdash.parts", "gateway"],
        cwd=ROOT,
        env=settings,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: is_up(live.port))
        with live.send(ask("plain")) as connection:
            assert b"[DONE]" in read_all(connection)
    finally:
        os.killpg(restarted.pid, signal.SIGKILL)
        restarted.wait()


def test_a_revoked_key_is_refused_within_a_second(live):
    with live.send(ask("plain", stream=False)) as connection:
        assert b" 200 " in read_all(connection)[:20]
    routes = table(f"http://127.0.0.1:{live.provider_port}/v1", MODELS)
    routes.keys.pop(digest(KEY))
    raw = routes.to_json().replace(b'"version":7', b'"version":8')
    live.valkey.set(ROUTES_KEY, raw)
    live.valkey.set(ROUTES_VERSION_KEY, 8)
    live.valkey.publish(ROUTES_CHANNEL, 8)

    def is_refused() -> bool:
        with live.send(ask("plain", stream=False)) as connection:
            return b" 401 " in read_all(connection)[:20]

    until(is_refused, 1.0)


NGINX_CONF = """
daemon off; pid {folder}/pid; error_log {folder}/log;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {url}; }} }}
}}
"""


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_streams_flow_through_nginx_with_its_default_settings(live, tmp_path):
    port = free_port()
    conf = tmp_path / "nginx.conf"
    conf.write_text(NGINX_CONF.format(folder=tmp_path, port=port, url=live.url))
    nginx = subprocess.Popen([NGINX, "-c", str(conf)], start_new_session=True)
    try:
        until(lambda: is_up(port))
        through = live.__class__(**vars(live) | {"port": port})
        arrivals: list[float] = []
        answer = b""
        with through.send(ask("slow")) as connection:
            while not answer.endswith(b"0\r\n\r\n"):
                answer += connection.recv(65_536)
                arrivals.append(time.monotonic())

        events = events_of(Script.of(MODELS["slow"]), "/v1/chat/completions", "x", asked=False)
        assert answer.count(b"data: ") == len(events)
        # Forty events, a twentieth of a second apart: buffered, they would come at once.
        assert len(arrivals) > 20
        assert arrivals[-1] - arrivals[0] > 1.0
    finally:
        os.killpg(nginx.pid, signal.SIGKILL)
        nginx.wait()


def test_a_request_for_the_server_itself_is_refused_in_json(live):
    with socket.create_connection(("127.0.0.1", live.port), 10) as connection:
        connection.sendall(b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "invalid_target"


def test_the_gateway_can_be_imported_where_django_is_absent():
    program = """
        import importlib, pkgutil, sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in ("django", "celery", "psycopg"):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Absent())
        import apps.gateway
        for module in pkgutil.walk_packages(apps.gateway.__path__, "apps.gateway."):
            importlib.import_module(module.name)
        assert not any(name.split(".")[0] == "django" for name in sys.modules)
        print("imported")
    """
    out = subprocess.check_output(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=ROOT, text=True
    )

    assert out == "imported\n"
