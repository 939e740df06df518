"""A developer who leaves the real server: the provider is left within a second, in every phase."""

import json
import time

from tests.gateway.live import running_live, until
from tests.gateway.test_server import ask

CANCELLED, OK = "client_cancelled", "ok"
# Phase: model, whether it streams, what arrives before the departure, and what is recorded: the
# outcome, its attempts, where the tokens are from.
PHASES = {
    "before the head": ("theirs?hang=head", True, b"", CANCELLED, [None], "estimated"),
    "before the first event": ("theirs?hang=first", True, b"", CANCELLED, [200], "estimated"),
    "midway": ("theirs?events=9999&pace=0.02", True, b"aus", CANCELLED, [200], "estimated"),
    "in a silence": ("theirs?hang=mid", True, b"Gr", CANCELLED, [200], "estimated"),
    "after the last event": ("theirs?hang=end", True, b"[DONE]", OK, [200], "provider"),
    "before a plain answer": ("theirs?pace=30", False, b"", CANCELLED, [None], "estimated"),
    "between attempts": ("theirs?status=503&retry_after=5", True, b"", CANCELLED, [503], "none"),
    "in the second attempt": (
        "theirs?status=503&retry_after=0&times=1&then=head",
        True,
        b"",
        CANCELLED,
        [503, None],
        "estimated",
    ),
}
MODELS = {name.replace(" ", "-"): phase[0] for name, phase in PHASES.items()}


def seen_of(live, model: str) -> list:
    return [one for one in live.provider.seen if json.loads(one.body)["model"] == model]


def test_the_upstream_is_closed_within_a_second_of_a_departure_in_every_phase(tmp_path, valkey):
    with running_live(tmp_path, valkey, MODELS) as live:
        closed = {}
        for name, (model, stream, expected, _, tries, _) in PHASES.items():
            connection = live.send(ask(name.replace(" ", "-"), stream=stream))
            until(lambda model=model, tries=tries: len(seen_of(live, model)) == len(tries))
            answer = b""
            while expected not in answer:
                answer += connection.recv(65_536)
            # Long enough for the gateway to have come to where it waits.
            time.sleep(0.1)
            left = time.monotonic()
            connection.close()
            if name != "between attempts":
                last = seen_of(live, model)[-1]
                until(lambda last=last: last.left is not None, 2)
                closed[name] = last.left - left

        records = {record.alias.replace("-", " "): record for record in live.records(len(PHASES))}

    assert {name: seconds < 1.0 for name, seconds in closed.items()} == dict.fromkeys(closed, True)
    assert len(closed) == len(PHASES) - 1
    assert {
        name: (record.outcome, [one.status for one in record.attempts], record.usage_source)
        for name, record in records.items()
    } == {name: phase[3:] for name, phase in PHASES.items()}
    assert records["between attempts"].total_ms < 1_000
