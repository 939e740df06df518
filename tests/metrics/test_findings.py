import json
from datetime import UTC, date, datetime

import pytest

from apps.core.intervals import Interval
from apps.metrics.findings import BETTER, WINNER, Bias, Contrast, Finding, Place

AT = datetime(2026, 11, 18, 12, 30, tzinfo=UTC)
FULL = Finding(
    role="chat",
    measure="daily",
    margin=0.3,
    computed_at=AT,
    state=WINNER,
    places=(
        Place(7, Interval(3.5, 3.9, 4.3), 1, 1, 12, 60, 58, 0, 3.85, 0.97, Interval(3.2, 3.9, 4.6)),
        Place(9, None, None, None, 0, 0, 0, group=1),
    ),
    contrasts=(
        Contrast(7, 9, Interval(0.1, 0.5, 0.9), BETTER, 40, 8, 9, 3),
        Contrast(9, 7, None, "early"),
    ),
    winner_id=7,
    look=1,
    people=12,
    count=60,
    baseline=3.1,
    bias=Bias(100, 60, 0.6, 1, 12, Interval(0.4, 0.5, 0.6), False, 0.02, 3, 0.1, 2),
    judged_on=date(2026, 11, 16),
    next_look_on=date(2026, 11, 30),
)


@pytest.mark.parametrize("finding", [FULL, Finding("edit", "wins", 0.05, AT, "nothing")])
def test_findings_survive_being_stored(finding):
    assert Finding.from_json(json.loads(json.dumps(finding.to_json()))) == finding


def test_findings_of_another_format_are_refused():
    with pytest.raises(ValueError, match="another format"):
        Finding.from_json(FULL.to_json() | {"format": 0})
