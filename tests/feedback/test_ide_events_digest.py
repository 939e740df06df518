"""By what an event of Continue's is known again."""

import pytest

from apps.feedback.ide_events import read_event
from tests.factories import NOON
from tests.feedback.continue_events import DATA, event


def read(name, **options):
    return read_event(event(name, **options))


def digest(name, *, received_at=NOON, **data):
    return read(name, **data).digest(received_at)


@pytest.mark.parametrize("name", DATA)
def test_the_same_event_is_the_same_whatever_code_comes_with_it(name):
    later = NOON.replace(hour=13)

    assert digest(name, prompt="other", filepath="/other.py") == digest(name)
    assert digest(name, received_at=later) == digest(name)
    assert digest(name, timestamp="2026-11-18T12:05:00.001Z") != digest(name)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("autocomplete", {"completionId": "another"}),
        ("autocomplete", {"uniqueId": "another"}),
        ("chatFeedback", {"feedback": False}),
        ("chatFeedback", {"sessionId": "another"}),
        ("editOutcome", {"newCodeLines": 6}),
        ("editOutcome", {"modelTitle": "another"}),
        ("tokensGenerated", {"generatedTokens": 101}),
        ("tokensGenerated", {"provider": "ollama"}),
        ("toolUsage", {"toolCallId": "call_2"}),
    ],
)
def test_events_of_one_time_are_told_apart(name, data):
    assert digest(name, **data) != digest(name)


def test_a_late_acceptance_is_of_the_same_event():
    assert digest("autocomplete", accepted=False) == digest("autocomplete", accepted=True)


def test_without_a_time_the_second_of_its_coming_tells():
    untimed = {"name": "tokensGenerated", "schema": "0.1.0", "timestamp": None}
    second, next_one = NOON.replace(microsecond=999_999), NOON.replace(second=1)

    assert digest(**untimed) == digest(**untimed, received_at=second)
    assert digest(**untimed) != digest(**untimed, received_at=next_one)
