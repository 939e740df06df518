"""What is measured, in which order, and how one measurement is made."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.accounting import Peak, cpu_ns, resident_mb, watched
from bench.load import Found, Load
from bench.proxy import Proxy

ROOT = Path(__file__).parent.parent
REPETITIONS = 3
PACE_MS = 20
TOKENS = 64
EVENTS = TOKENS + 2
STREAM_S = EVENTS * PACE_MS / 1000
HELD_BELOW_MS = 10 * PACE_MS
SETTLES_S = 0.3
IDLE_S = 2.0

# Figures of one repetition: name -> value, None where nothing came back.
Run = dict[str, Any]
# Proxy -> phase -> one run for each repetition.
Runs = dict[str, dict[str, list[Run]]]


@dataclass(frozen=True)
class Phase:
    """`requests` are for a proxy of the usual speed; more of the fast ones measure as long."""

    name: str
    connections: int
    requests: int
    slow: int
    fast: int
    is_streamed: bool = False
    tokens: int = TOKENS
    spread_s: float = 0.0

    def load(self, proxy: Proxy) -> Load:
        return Load(
            port=proxy.port,
            keys=proxy.keys,
            headers=proxy.headers,
            connections=self.connections,
            requests={"slow": self.slow, "usual": self.requests, "fast": self.fast}[proxy.speed],
            is_streamed=self.is_streamed,
            tokens=self.tokens,
            spread_s=self.spread_s,
        )


PHASES = (
    Phase("plain_1", 1, 1_500, 150, 6_000),
    Phase("plain_32", 32, 6_000, 320, 24_000),
    # Short ones, since only their first event counts.
    Phase("first_1", 1, 40, 40, 40, is_streamed=True, tokens=2),
    Phase("streams_32", 32, 160, 64, 160, is_streamed=True, spread_s=STREAM_S),
    Phase("streams_500", 500, 1_000, 500, 1_000, is_streamed=True, spread_s=STREAM_S),
)
QUICK = (
    *PHASES[:2],
    Phase("streams_32", 32, 96, 0, 96, is_streamed=True, spread_s=STREAM_S),
)
# Those that say something without a comparison.
QUICK_ALONE = PHASES[-1:]
# A large request amid small streams, which last long enough for it to begin and end among them.
BIG = "big"
BIG_BYTES = 9_990_000
SMALL = Phase("small", 20, 20, 20, 20, is_streamed=True, tokens=100, spread_s=PACE_MS / 1000)
BIG_AFTER_S = 0.7


def send(load: Load) -> Found:
    """Send a load from a process of its own and return what it found."""
    command = [sys.executable, "-m", "bench.load", json.dumps(asdict(load))]
    with tempfile.TemporaryFile() as out:
        subprocess.run(command, cwd=ROOT, stdout=out, timeout=load.limit_s + 30, check=True)
        out.seek(0)
        return Found(**json.load(out))


def warm_up(proxies: dict[str, Proxy]) -> None:
    for proxy in proxies.values():
        for is_streamed, requests in ((False, 300), (True, 32)):
            load = Phase("", 32, requests, 100, requests, is_streamed, tokens=2).load(proxy)
            send(load)


def at_rest(proxies: dict[str, Proxy]) -> dict[str, Run]:
    """Return resident MB, and CPU in milliseconds a second, of everyone while nothing happens."""
    time.sleep(1)
    pids = {name: proxy.pid for name, proxy in proxies.items() if proxy.pid}
    before = {name: cpu_ns(pid) for name, pid in pids.items()}
    time.sleep(IDLE_S)
    return {
        name: {
            "resident_mb": resident_mb(pid),
            "cpu_ms_per_s": (cpu_ns(pid) - before[name]) / IDLE_S / 1e6,
        }
        for name, pid in pids.items()
    }


def measure_quickly(proxies: dict[str, Proxy], alone: str) -> Runs:
    """Measure everyone once in what has to be compared, and one proxy in the rest."""
    runs: Runs = {name: {} for name in proxies}
    for phase in QUICK:
        for name, proxy in proxies.items():
            runs[name][phase.name] = [measured(proxy, phase)]
    for phase in QUICK_ALONE:
        runs[alone][phase.name] = [measured(proxies[alone], phase)]
    runs[alone][BIG] = [measured_big(proxies[alone])]
    return runs


def measure_all(proxies: dict[str, Proxy]) -> Runs:
    """Measure everyone in each phase before the next, in another order each time."""
    runs: Runs = {name: {} for name in proxies}
    names = list(proxies)
    for repetition in range(REPETITIONS):
        order = names[repetition % len(names) :] + names[: repetition % len(names)]
        for phase in PHASES:
            for name in order:
                run = measured(proxies[name], phase)
                runs[name].setdefault(phase.name, []).append(run)
            _tell(repetition, phase.name)
        for name in order:
            runs[name].setdefault(BIG, []).append(measured_big(proxies[name]))
        _tell(repetition, BIG)
    return runs


def measured(proxy: Proxy, phase: Phase) -> Run:
    load = phase.load(proxy)
    before, beside = _cpu(proxy.pid), _cpu(proxy.beside)
    with watched(proxy.pid) if proxy.pid else nullcontext(Peak()) as peak:
        found = send(load)
        time.sleep(SETTLES_S)  # what is still being shipped belongs to these requests
    count = len(found.latencies)
    run: Run = {"requests": load.requests, "finished": count, "failures": found.failures}
    if not count:
        return run
    run |= {
        "median_ms": statistics.median(found.latencies),
        "p99_ms": percentile(found.latencies, 99),
        "rate": count / found.seconds,
    }
    if proxy.pid:
        run["cpu_us"] = (_cpu(proxy.pid) - before) / count / 1e3
        run["peak_mb"] = peak.resident_mb
    if proxy.beside:
        run["beside_us"] = (_cpu(proxy.beside) - beside) / count / 1e3
    if load.is_streamed:
        run |= {
            "first_ms": statistics.median(found.firsts),
            "worst_gap_ms": found.gaps[-1],
            "held": sum(gap <= HELD_BELOW_MS for gap in found.gaps),
        }
    return run


def measured_big(proxy: Proxy) -> Run:
    """Send small streams alone, then again with one large request among them."""
    small = SMALL.load(proxy)
    one = Load(proxy.port, proxy.keys[-1:], 1, 1, headers=proxy.headers, delay_s=BIG_AFTER_S)
    big = Load(**asdict(one) | {"prompt_bytes": BIG_BYTES})
    alone = send(small)
    with ThreadPoolExecutor() as threads:
        large = threads.submit(send, big)
        together = send(small)
    found = large.result()
    run: Run = {
        "requests": small.requests,
        "finished": len(together.gaps),
        "failures": together.failures
        | {f"the large request: {why}": count for why, count in found.failures.items()},
    }
    if found.latencies and alone.gaps and together.gaps:
        run |= {
            "alone_ms": alone.gaps[-1],
            "together_ms": together.gaps[-1],
            "grown_ms": together.gaps[-1] - alone.gaps[-1],
            "large_ms": found.latencies[0],
        }
    return run


def percentile(values: list[float], percent: int) -> float:
    """Return the nearest-rank percentile of sorted values."""
    rank = -(-len(values) * percent // 100)
    return values[max(rank, 1) - 1]


def _cpu(pid: int | None) -> int:
    return cpu_ns(pid) if pid else 0


def _tell(repetition: int, phase: str) -> None:
    print(f"  {repetition + 1}. {phase}", flush=True)
