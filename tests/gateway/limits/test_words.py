from dataclasses import replace
from datetime import UTC, datetime

import pytest

from apps.gateway.access import Caller
from apps.gateway.contract import KeyRoute, LimitRoute, PilotRoute
from apps.gateway.limits.plan import plan_of
from apps.gateway.limits.words import money_unknown, rate_headers, refusal, warning
from tests.gateway.limits.test_plan import CANDIDATE
from tests.gateway.stand_ins import taking_turns

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
PILOT = PilotRoute(
    1,
    "autumn",
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    {"chat": 11},
    zone="Europe/Berlin",
)
KEY = KeyRoute(21, 31, 1, "developer", datetime(2027, 1, 1, tzinfo=UTC))


def refused(limit, kind, *, wait_ms=0, left=0, blind=()):
    # A limit of keys that counts nothing, so that the one that is set apart does not come in.
    limits = (limit,) if limit.scope == "key" else (limit, LimitRoute("key"))
    pilot = replace(PILOT, limits=limits, blind=dict.fromkeys(blind, taking_turns(11)))
    caller = Caller(KEY, pilot)
    plan = plan_of(caller, CANDIDATE, NOW, is_blind=bool(blind))
    (counter,) = [one for one in plan.counters if one.kind == kind]
    found = refusal(counter, caller, "chat", wait_ms=wait_ms, left=left)
    return found.status, found.code, found.retry_after, found.message


@pytest.mark.parametrize(
    ("limit", "kind", "wait_ms", "told"),
    [
        (
            LimitRoute("key", requests_per_minute=60),
            "r",
            2_100,
            (
                429,
                "rate_limit_exceeded",
                3,
                "Your key may use 60 requests a minute, and they are used up. "
                "There is room again in 3 seconds.",
            ),
        ),
        (
            LimitRoute("person", tokens_per_minute=100_000),
            "t",
            400,
            (
                429,
                "rate_limit_exceeded",
                1,
                "You may use 100,000 tokens a minute, and they are used up. "
                "There is room again in a second.",
            ),
        ),
        (
            LimitRoute("candidate", at_once=4),
            "c",
            1_000,
            (
                429,
                "too_many_at_once",
                1,
                "The model 'chat' already has 4 calls running, which is the limit. "
                "There is room again as soon as one of them ends.",
            ),
        ),
    ],
)
def test_a_refusal_names_the_limit_whose_it_is_and_when_it_ends(limit, kind, wait_ms, told):
    assert refused(limit, kind, wait_ms=wait_ms) == told


def test_money_that_is_spent_is_renewed_with_its_period():
    assert refused(LimitRoute("person", nano_usd=5 * 10**9, period="day"), "m") == (
        429,
        "insufficient_quota",
        5,
        "You have used up the budget of 5.00 USD for today. It is renewed on 11 March 2026 at "
        "00:00 Europe/Berlin time. An administrator of the pilot can raise it.",
    )
    assert refused(LimitRoute("pilot", nano_usd=10**9, period="pilot"), "p") == (
        429,
        "insufficient_quota",
        5,
        "The pilot autumn has used up the budget of 1.00 USD for this pilot. It is not renewed. "
        "An administrator of the pilot can raise it.",
    )


def test_money_that_running_calls_hold_is_worth_another_try():
    assert refused(LimitRoute("key", nano_usd=10**9), "m", left=5) == (
        429,
        "rate_limit_exceeded",
        2,
        "What your key has left of the budget of 1.00 USD for this month is held by calls that "
        "are running. Please try again when they have ended.",
    )


def test_a_blind_alias_says_nothing_of_money():
    pilots = refused(LimitRoute("pilot", nano_usd=10**9), "m", blind=("chat",))
    candidates = refused(LimitRoute("candidate", nano_usd=10**9), "m", blind=("chat",))

    assert pilots[3] == (
        "The pilot autumn has used up the budget for this month. It is renewed on 1 April 2026 at "
        "00:00 Europe/Berlin time. An administrator of the pilot can raise it."
    )
    assert candidates == (
        429,
        "rate_limit_exceeded",
        5,
        "The model 'chat' is at its limit. Please try again later.",
    )


@pytest.mark.parametrize(
    ("limit", "kind", "told"),
    [
        (LimitRoute("candidate", requests_per_minute=7), "r", "in 2 seconds"),
        (LimitRoute("candidate", tokens_per_minute=7), "t", "in 2 seconds"),
        (LimitRoute("candidate", at_once=7), "c", "as soon as one of them ends"),
    ],
)
def test_a_blind_alias_does_not_say_how_much_its_candidate_may(limit, kind, told):
    message = refused(limit, kind, wait_ms=2_000, blind=("chat",))[3]

    assert message == f"The model 'chat' is at its limit. There is room again {told}."


def test_programs_are_told_not_to_try_again_when_the_money_is_spent():
    caller = Caller(KEY, replace(PILOT, limits=(LimitRoute("pilot", nano_usd=1, period="day"),)))
    counter = plan_of(caller, CANDIDATE, NOW).counters[-1]

    spent = refusal(counter, caller, "chat", wait_ms=0, left=0)
    held = refusal(counter, caller, "chat", wait_ms=0, left=1)

    assert spent.headers == [(b"x-should-retry", b"false")]
    assert (held.headers, money_unknown().headers, money_unknown().status) == ([], [], 503)
    assert warning(counter, caller, "chat") == (
        b"The pilot autumn has used up the budget for today."
    )


@pytest.mark.parametrize(
    ("reset_ms", "spelled"),
    [
        (0, b"0ms"),
        (20, b"20ms"),
        (999, b"999ms"),
        (1_000, b"1s"),
        (5_001, b"6s"),
        (90_000, b"1m30s"),
    ],
)
def test_the_six_headers(reset_ms, spelled):
    assert rate_headers([0, 0, 0, 0, 0, 60, 59, reset_ms, 1_000, 900, reset_ms]) == [
        (b"x-ratelimit-limit-requests", b"60"),
        (b"x-ratelimit-remaining-requests", b"59"),
        (b"x-ratelimit-reset-requests", spelled),
        (b"x-ratelimit-limit-tokens", b"1000"),
        (b"x-ratelimit-remaining-tokens", b"900"),
        (b"x-ratelimit-reset-tokens", spelled),
    ]


def test_without_a_limit_there_is_nothing_to_head():
    assert rate_headers([0, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0]) == []
