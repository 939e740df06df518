"""The set test's own judgment: each kind of fault is seen, and nothing else is."""

from dataclasses import replace

import pytest

from tests.chaos.upstream import usage_of
from tests.chaos.verdict import Row, Verdict, judge

WHOLE, LEFT, DIED, UNSENT = "r01-000001", "r01-000002", "r01-000003", "r01-000004"
CHAT = "chat/completions"
USAGE = usage_of(WHOLE, CHAT)
MOST = usage_of(LEFT, CHAT).completion
ROWS = {
    WHOLE: Row("a", WHOLE, "ok", "provider", USAGE.prompt, USAGE.cached, USAGE.completion),
    LEFT: Row("b", LEFT, "client_cancelled", "estimated", 12, None, MOST),
    DIED: Row("c", DIED, "crashed_unknown", "none", None, None, None),
    UNSENT: Row("d", UNSENT, "client_cancelled", "none", None, None, None),
}


def judged(rows: list[Row], **changed) -> Verdict:
    facts = {
        "endpoints": dict.fromkeys(ROWS, CHAT),
        "ids": {WHOLE: "a", LEFT: "b"},
        "whole": {WHOLE},
        "seen": {WHOLE, LEFT, DIED},
        "finished": {WHOLE: USAGE},
    }
    return judge(**facts | changed, rows=rows)


def test_true_rows_are_good():
    verdict = judged(list(ROWS.values()))

    assert verdict.faults() == []
    assert verdict.is_good
    assert (verdict.ok, verdict.recovered, verdict.compared, verdict.finished) == (3, 1, 1, 1)


def test_a_call_that_the_provider_or_a_client_knows_and_no_row_is_lost():
    verdict = judged([ROWS[UNSENT]], ids={LEFT: "b"}, seen={DIED})

    assert (verdict.lost, verdict.is_good) == ([LEFT, DIED], False)


def test_a_second_row_is_a_duplicate():
    verdict = judged([*ROWS.values(), replace(ROWS[DIED], id="e")])

    assert (verdict.duplicated, verdict.is_good) == ([DIED], False)


@pytest.mark.parametrize(
    ("marker", "changed"),
    [
        (WHOLE, {"id": "z"}),
        (WHOLE, {"outcome": "client_cancelled"}),
        (WHOLE, {"outcome": "crashed_unknown", "usage_source": "none"}),
        (WHOLE, {"prompt_tokens": USAGE.prompt + 1}),
        (WHOLE, {"cached_tokens": None}),
        (WHOLE, {"completion_tokens": USAGE.completion - 1}),
        (WHOLE, {"usage_source": "estimated"}),
        (LEFT, {"completion_tokens": MOST + 1}),
        (LEFT, {"prompt_tokens": None}),
        (LEFT, {"usage_source": "provider"}),
        (LEFT, {"usage_source": "none"}),
        (LEFT, {"outcome": "upstream_error"}),
        (DIED, {"completion_tokens": 1}),
        (UNSENT, {"marker": "nobody's"}),
    ],
)
def test_a_row_that_says_something_else_than_was_sent_is_unequal(marker, changed):
    rows = [row for row in ROWS.values() if row.marker != marker]

    verdict = judged([*rows, replace(ROWS[marker], **changed)])

    assert len(verdict.unequal) == 1
    assert not verdict.is_good


def test_a_client_sees_no_end_that_the_provider_did_not_send():
    verdict = judged(list(ROWS.values()), finished={})

    assert len(verdict.unequal) == 1


def test_rounds_add_up():
    once = judged(list(ROWS.values()))
    once.refused[503] = 2

    twice = once + once

    assert twice.line() == (
        "ok 6 / lost 0 / duplicated 0 / recovered 2 (sent 8, rows 8, finished 2, tokens compared 2,"
        " unequal 0, refused 4 × 503, without an answer 0)"
    )
