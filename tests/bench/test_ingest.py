"""The measurement of editors' events: its events are kept, and its figures are the right ones."""

import json

from apps.feedback.ide_events import read_event
from bench.ingest import event, summary
from tests.feedback.conftest import make_world
from tests.feedback.continue_events import sent


def test_every_event_is_another_and_is_stored(client, db, valkey):
    world = make_world()
    for _ in range(2):
        assert sent(client, world.plain_key, event("chat")).json() == {"status": "stored"}


def test_events_are_completions_that_were_taken():
    report = read_event(json.loads(event("chat")))

    assert report is not None
    assert (report.kind, report.is_accepted) == ("autocomplete", True)


def test_figures_are_the_median_and_the_95th_percentile():
    assert summary([float(n) for n in range(1, 102)]) == "101 events: median 51.0 ms, p95 96.0 ms"
