"""What the openai packages make of limits: headers to read, refusals to wait for or to accept."""

from dataclasses import replace

import openai
import pytest

from apps.gateway.contract import REFUSALS_KEY, UNSEEDED_KEY, LimitRoute, PriceRoute, RouteTable
from tests.gateway.live import until
from tests.gateway.rig import DAY, KEY, NOW

pytestmark = pytest.mark.xdist_group("node")

MODELS = {"pilot-chat": "theirs", "few": "theirs", "poor": "theirs"}
HELLO = [{"role": "user", "content": "hi"}]


def routes(table: RouteTable) -> RouteTable:
    """`few` answers twice a minute; one call of `poor` costs more than there is."""
    pilot = table.pilots[1]
    few, poor = pilot.aliases["few"], pilot.aliases["poor"]
    limits = (
        LimitRoute("candidate", few, requests_per_minute=2, tokens_per_minute=100_000),
        LimitRoute("candidate", poor, nano_usd=1_000_000, period="day"),
    )
    price = PriceRoute(NOW - DAY, None, 10**15, 10**15, 10**15)
    dear = replace(table.candidates[poor], prices=(price,))
    return replace(
        table,
        pilots=table.pilots | {1: replace(pilot, limits=limits)},
        candidates=table.candidates | {poor: dear},
    )


@pytest.fixture
def client(live):
    with openai.OpenAI(api_key=KEY, base_url=f"{live.url}/v1", max_retries=0) as client:
        yield client


def tell_what_was_spent(live) -> None:
    """Say of each money counter that nothing was spent before: the database's part."""
    until(lambda: live.valkey.scard(UNSEEDED_KEY) > 0)
    for name in live.valkey.smembers(UNSEEDED_KEY):
        live.valkey.hset(name, "seed", 0)
        live.valkey.srem(UNSEEDED_KEY, name)


def refused(live, reason: str) -> int:
    counts = live.valkey.hgetall(REFUSALS_KEY)
    return sum(int(count) for field, count in counts.items() if field.startswith(reason.encode()))


def test_headers_say_what_is_left_and_a_refusal_when_to_come_back(client):
    def ask():
        return client.chat.completions.with_raw_response.create(model="few", messages=HELLO)

    heads = [ask().headers for _ in range(2)]
    with pytest.raises(openai.RateLimitError, match="may use 2 requests a minute") as told:
        ask()

    assert [head["x-ratelimit-limit-requests"] for head in heads] == ["2", "2"]
    assert [head["x-ratelimit-remaining-requests"] for head in heads] == ["1", "0"]
    assert {head["x-ratelimit-limit-tokens"] for head in heads} == {"100000"}
    # Room for an answer is held until the call has ended: as long as answers usually are.
    left = [int(head["x-ratelimit-remaining-tokens"]) for head in heads]
    assert all(98_000 < tokens < 100_000 for tokens in left)
    assert told.value.code == "rate_limit_exceeded"
    assert 1 <= int(told.value.response.headers["retry-after"]) <= 60
    assert told.value.response.headers["x-ratelimit-remaining-requests"] == "0"


def test_money_that_is_spent_is_not_asked_for_again(client, live, node):
    with pytest.raises(openai.InternalServerError, match="what has been spent") as unknown:
        client.chat.completions.create(model="poor", messages=HELLO)
    tell_what_was_spent(live)
    session = {"X-PilotDash-Session": "spending"}
    # The first call may find less money than it needs; what it costs is more than all there is.
    client.chat.completions.create(model="poor", messages=HELLO, extra_headers=session)
    live.calls_of("spending", 1)
    with pytest.raises(openai.RateLimitError, match="budget") as told:
        client.with_options(max_retries=5).chat.completions.create(model="poor", messages=HELLO)
    (error,) = node.run("openai.mjs", "wait", model="poor", session="poor", maxRetries=5)

    assert (unknown.value.status_code, unknown.value.code) == (503, "money_unknown")
    assert told.value.code == "insufficient_quota"
    assert (error["error"], error["status"]) == ("RateLimitError", 429)
    until(lambda: refused(live, "money_spent") >= 2)
    assert refused(live, "money_spent") == 2
