"""`make bench`: measure everyone side by side, tell, and write bench/results/latest.json.

`python -m bench --quick` measures only ours beside nginx and direct, once, and writes nothing.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import ours, phases, rivals, summary, table
from bench.load import Load
from bench.proxy import NotRun, Proxy, check, free_port, started

OURS = "pilotdash"
RIVALS = {"nginx": rivals.nginx, "portkey": rivals.portkey, "litellm": rivals.litellm}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ours, nginx and direct, once")
    is_quick = parser.parse_args().quick
    results = run(is_quick)
    print(table.for_console(results))
    if not is_quick:
        table.RESULTS.parent.mkdir(exist_ok=True)
        table.RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        table.write()


def run(is_quick: bool) -> dict[str, Any]:
    began = datetime.now(UTC)
    load_average = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="pilotdash-bench-"))
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        proxies = start_all(stack, folder, missing, is_quick)
        phases.warm_up(proxies)
        rest = phases.at_rest(proxies)
        runs = phases.measure_quickly(proxies, OURS) if is_quick else phases.measure_all(proxies)
        counted = proxies[OURS].counted()
    figures = summary.summary(runs)
    for name, found in rest.items():
        figures[name]["rest"] = {figure: round(value, 3) for figure, value in found.items()}
    return {
        "format": table.FORMAT,
        "at": began.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - began).total_seconds()),
        "machine": machine() | {"load_average_before": round(load_average, 2)},
        "settings": {
            "repetitions": 1 if is_quick else phases.REPETITIONS,
            "pace_ms": phases.PACE_MS,
            "events": phases.EVENTS,
            "keys": ours.KEYS,
            "prompt_bytes": Load.prompt_bytes,
        },
        "proxies": {
            name: {"title": p.title, "version": p.version, "ran_with": p.ran_with}
            for name, p in proxies.items()
        },
        "missing": missing,
        "counted": counted,
        "figures": figures,
        "targets": summary.judged(figures, OURS),
    }


def start_all(
    stack: ExitStack, folder: Path, missing: dict[str, str], is_quick: bool
) -> dict[str, Proxy]:
    """Start everyone who can be; note in `missing` why others could not."""

    def start(command: list[str], port: int, settings: Mapping[str, str]) -> int:
        return stack.enter_context(started(command, port, settings, folder))

    upstream = free_port()
    command = [sys.executable, "-m", "bench.upstream", str(upstream), str(phases.PACE_MS)]
    start(command, upstream, {"PYTHONPATH": str(phases.ROOT)})
    direct = Proxy("direct", "", "no proxy in between", upstream, None, speed="fast")
    proxies = {summary.DIRECT: direct}
    proxies[OURS] = stack.enter_context(ours.running(start, upstream, folder))
    check(proxies[OURS])
    for name, begin in RIVALS.items():
        if is_quick and name != "nginx":
            continue
        print(f"starting {name}", flush=True)
        try:
            proxy = begin(start, upstream, folder)
            check(proxy)
        except NotRun as problem:
            missing[name] = str(problem)
            print(f"{name} is missing: {problem}", flush=True)
        else:
            proxies[name] = proxy
    return proxies


def machine() -> dict[str, Any]:
    found: dict[str, Any] = {"cores": os.cpu_count(), "python": platform.python_version()}
    found["kernel"] = platform.release()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("model name"))
        found["processor"] = line.partition(":")[2].strip()
    return found


if __name__ == "__main__":
    main()
