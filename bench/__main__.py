"""`make bench`: run the benchmarks, print a table and write bench/results/latest.json."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from bench import gateway

RESULTS = Path(__file__).parent / "results" / "latest.json"
ROWS = ("cpu_us", "median_ms", "p99_ms", "first_ms", "worst_gap_ms")


def main() -> None:
    found = gateway.run()
    out = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "gateway": found,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(out, indent=1) + "\n")
    for phase in ("plain_1", "plain_32", "stream_32", "streams_500"):
        print(f"\n{phase:12}" + "".join(f"{row:>14}" for row in ROWS))
        for name, phases in found.items():
            if isinstance(phases, dict) and phase in phases:
                figures = "".join(f"{phases[phase][row]['median']:14.2f}" for row in ROWS)
                print(f"{name:12}{figures}")
    print(f"\nwritten to {RESULTS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
