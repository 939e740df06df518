from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from apps.core.periods import Period
from apps.core.uuid7 import instant_of, is_uuid7
from apps.gateway.contract import CallRecord
from apps.usage.generator import Caller, CandidateShape, generate_calls

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
THREE_WEEKS = Period(MONDAY, MONDAY + timedelta(days=21))
CALLERS = [Caller(1, 11), Caller(2, 12, weight=3.0), Caller(3, 13, first_day=7)]
CANDIDATES = [CandidateShape(1, 1, "a"), CandidateShape(2, 1, "b", failure_rate=0.5)]


def calls(**changes):
    return list(
        generate_calls(
            **{
                "seed": 7,
                "pilot_id": 5,
                "period": THREE_WEEKS,
                "zone": ZoneInfo("Europe/Berlin"),
                "callers": CALLERS,
                "candidates": CANDIDATES,
                "count": 2_000,
            }
            | changes
        )
    )


def test_the_same_seed_makes_the_same_calls():
    assert calls() == calls()
    assert calls() != calls(seed=8)


def test_calls_are_as_many_as_asked_distinct_ordered_and_inside_the_period():
    made = calls()

    assert len(made) == len({call.id for call in made}) == 2_000
    assert [call.admitted_at for call in made] == sorted(call.admitted_at for call in made)
    assert made[0].admitted_at >= THREE_WEEKS.start
    assert made[-1].admitted_at < THREE_WEEKS.end


def test_ids_carry_the_time_and_records_survive_the_wire():
    for call in calls(count=200):
        assert is_uuid7(UUID(call.id))
        assert instant_of(UUID(call.id)) == call.admitted_at
        assert CallRecord.from_json(call.to_json()) == call


def test_people_and_candidates_follow_their_weights():
    made = calls()

    people = Counter(call.person_id for call in made)
    failed = Counter(call.candidate_id for call in made if call.outcome.startswith("upstream"))

    assert people[2] > 2 * people[1] > 2 * 0.8 * people[3]
    assert failed[2] > 10 * failed[1]
    assert min(c.admitted_at for c in made if c.person_id == 3) >= MONDAY + timedelta(days=6)


def test_nobody_at_work_is_an_error():
    night = Period(MONDAY, MONDAY + timedelta(hours=2))

    with pytest.raises(ValueError, match="at work"):
        calls(period=night)


def test_who_answers_may_be_said_call_by_call():
    blind = CandidateShape(3, 1, "pilot-chat")

    def pick(caller, at, task):
        return blind if caller.person_id == 2 and task == "chat" else None

    made = calls(pick=pick)

    picked = [call for call in made if call.person_id == 2 and call.task == "chat"]
    assert picked
    assert {(call.candidate_id, call.alias) for call in picked} == {(3, "pilot-chat")}
    others = [call for call in made if call not in picked]
    assert {call.candidate_id for call in others} == {1, 2}
