"""`python -m bench.ingest URL`: how long a running product takes to keep an editor's event.

Sends completions as Continue tells of them, one after the other over one connection, each once
and to be stored, with the key from PILOTDASH_API_KEY; they stay in the key's pilot. Prints ms.
"""

import argparse
import json
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from http.client import HTTPConnection
from uuid import uuid4

EVENTS = 200
WARM_UP = 10
PATH = "/ingest/continue"


def event(alias: str) -> bytes:
    """Return a completion that was taken just now, of some two dozen lines."""
    data = {
        "eventName": "autocomplete",
        "schema": "0.2.0",
        "timestamp": datetime.now(UTC).isoformat(),
        "completionId": str(uuid4()),
        "modelProvider": "mistral",
        "modelName": alias,
        "accepted": True,
        "prefix": "value = 1\n" * 100,
        "suffix": "print(value)\n" * 20,
        "completion": "value += 1\n",
        "filepath": "file:///work/program.py",
    }
    whole = {"name": "autocomplete", "data": data, "schema": "0.2.0", "level": "all"}
    return json.dumps(whole).encode()


def measure(host: str, key: str, alias: str, events: int) -> list[float]:
    """Return what each event took, in ms. Exits where one is not stored."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection = HTTPConnection(host, timeout=30)
    took = []
    for _ in range(WARM_UP + events):
        body = event(alias)
        begun = time.perf_counter()
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        told = answer.read()
        took.append((time.perf_counter() - begun) * 1_000)
        if answer.status != 200 or json.loads(told) != {"status": "stored"}:
            sys.exit(f"not stored: {answer.status} {told.decode(errors='replace')}")
    connection.close()
    return took[WARM_UP:]


def summary(took: list[float]) -> str:
    """Return the median and the 95th percentile in a line."""
    late = statistics.quantiles(took, n=20, method="inclusive")[-1]
    return f"{len(took)} events: median {statistics.median(took):.1f} ms, p95 {late:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.ingest", description=__doc__)
    parser.add_argument("url", help="http://host:port of a running product")
    parser.add_argument("--alias", default="pilot-chat", help="the model name told of")
    parser.add_argument("--events", type=int, default=EVENTS)
    given = parser.parse_args()
    key = os.environ.get("PILOTDASH_API_KEY") or sys.exit("PILOTDASH_API_KEY is not set")
    host = given.url.removeprefix("http://").rstrip("/")
    load = os.getloadavg()[0]
    took = measure(host, key, given.alias, given.events)
    print(f"{summary(took)}; load {load:.1f} before, {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
