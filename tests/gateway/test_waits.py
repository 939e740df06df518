"""How long developers are told to wait: by us always, by a provider if what it says is a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.errors import REASONS, Refusal
from apps.gateway.waits import DO_NOT_RETRY, error_headers, seconds_in
from tests.gateway.blind.telling import hide
from tests.gateway.rig import GOOD

DATE = "Wed, 21 Oct 2099 07:28:00 GMT"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("0", 0.0),
        ("5", 5.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("soon", None),
        ("-1", None),
        ("1e3", None),
        ("nan", None),
        ("\xb2", None),
        ("", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("Wed, 21 Oct 1999 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after_in_seconds(told, seconds):
    assert seconds_in({"retry-after": told}) == seconds


def test_retry_after_as_a_date():
    now = datetime.now(UTC)

    later = seconds_in({"retry-after": format_datetime(now + timedelta(seconds=90), usegmt=True)})
    earlier = seconds_in({"retry-after": format_datetime(now - timedelta(days=1))})

    assert 88 < later <= 90
    assert (earlier, seconds_in({})) == (0.0, None)


@given(st.text(st.characters(max_codepoint=255)) | st.from_regex(r"[A-Z0-9 :,+-]{0,40}"))
def test_whatever_is_said_is_a_time_or_none(told):
    seconds = seconds_in({"retry-after": told})

    assert seconds is None or seconds >= 0


@pytest.mark.parametrize(
    ("status", "said", "plain", "blind"),
    [
        (429, "7", "7", "7"),
        (429, "1.5", "1.5", "2"),
        (503, " 7", " 7", "7"),
        (503, "acme-east-1", "5", "5"),
        (429, "", "5", "5"),
        (500, "7", "7", None),
        (500, "acme-east-1", None, None),
        (500, "", None, None),
    ],
)
def test_what_a_provider_says_is_passed_on_if_it_is_a_time(status, said, plain, blind):
    headers = {"retry-after": said} if said else {}

    told = [dict(error_headers(status, headers, is_blind=is_blind)) for is_blind in (False, True)]

    expected = [value and value.encode() for value in (plain, blind)]
    assert [one.get(b"retry-after") for one in told] == expected


def test_a_long_wait_is_told_as_it_came_and_not_to_be_waited_for():
    (_, told, *more) = error_headers(429, {"retry-after": DATE}, is_blind=False)
    (_, seconds, *same) = error_headers(429, {"retry-after": DATE}, is_blind=True)

    assert told == (b"retry-after", DATE.encode())
    assert int(seconds[1]) > 10**9
    assert more == same == [DO_NOT_RETRY]


@pytest.mark.parametrize("said", ["acme-east-1", "", DATE])
async def test_of_a_blind_alias_nobody_learns_how_its_provider_spells_a_time(rig, said):
    hide(rig)
    table = rig.service.routes.table
    model = f"theirs?status=429&retry_after={quote(said)}"
    rig.service.routes.table = replace(
        table, candidates={11: replace(table.candidates[11], upstream_model=model)}
    )

    reply = await rig.chat()

    assert reply.status == 429
    assert reply.headers["retry-after"].isdigit()
    assert (reply.headers["retry-after"] == "5") is (said != DATE)


@pytest.mark.parametrize(("said", "passed"), [("7", "7"), ("acme-east-1", None)])
async def test_an_answer_says_when_to_come_again_only_as_a_time(rig, said, passed):
    rig.route(f"theirs?echo={said}")

    reply = await rig.chat()

    assert (reply.status, reply.headers.get("retry-after")) == (200, passed)
    assert reply.headers["cache-control"] == said


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("reason", REASONS)
def test_every_refusal_for_now_says_when_to_come_again(status, reason):
    assert Refusal(status, reason, "No.").retry_after == 5
    assert Refusal(status, reason, "No.", retry_after=2).retry_after == 2
    assert Refusal(400, reason, "No.").retry_after is None


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models/pilot-chat")]
)
async def test_a_paused_model_is_refused_and_not_to_be_waited_for(rig, method, path):
    table = rig.service.routes.table
    table.candidates[11] = replace(table.candidates[11], state="paused")

    reply = await rig.request(method, path, GOOD)

    assert (reply.status, reply.error["code"]) == (503, "paused_model")
    assert (reply.headers["retry-after"], reply.headers["x-should-retry"]) == ("5", "false")
