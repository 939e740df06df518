"""The pages of blind comparison: what they show, to whom, and what they never tell."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.feedback.comparison_votes import erase_prompts, vote
from apps.feedback.models import Comparison
from tests.factories import NOON
from tests.feedback.comparing import make_contest

AT = NOON + timedelta(minutes=1)


@pytest.fixture
def contest(db):
    return make_contest()


@pytest.fixture
def clock(monkeypatch, valkey):
    monkeypatch.setattr(timezone, "now", lambda: AT)


@pytest.fixture
def signed_in(client, contest):
    client.force_login(contest.user)
    return client


pytestmark = pytest.mark.usefixtures("clock")


def page(contest, comparison=None, action=""):
    path = f"/pilots/{contest.pilot.slug}/blind/"
    return path + action if comparison is None else f"{path}{comparison.id}/{action}"


def queued(valkey):
    return valkey.llen("pilotdash:celery")


def html_of(response):
    return response.content.decode()


def states():
    return list(Comparison.objects.order_by("created_at").values_list("outcome", "withdrawn_at"))


def test_the_page_asks_for_a_prompt(signed_in, contest):
    html = html_of(signed_in.get(page(contest)))

    assert "Ask both" in html
    assert "What it is for" not in html
    assert "autofocus" in html


def test_a_prompt_begins_a_comparison_and_tells_a_worker_its_number_alone(
    signed_in, contest, valkey
):
    response = signed_in.post(page(contest, action="ask/"), {"prompt": "Why is\r\nit so?"})

    asked = Comparison.objects.get()
    assert (response.status_code, response.url) == (302, page(contest, asked))
    message = valkey.lindex("pilotdash:celery", 0)
    assert b"apps.feedback.compare_tasks.answer_comparison" in message
    assert b"Why is" not in message
    assert queued(valkey) == 1
    waiting = html_of(signed_in.get(page(contest, asked)))
    assert "Two candidates are answering." in waiting
    assert "Why is\nit so?" in waiting


def test_nothing_of_an_answer_shows_before_both_are_there(signed_in, contest):
    asked = contest.ask(now=AT)
    before = signed_in.get(page(contest, asked), headers={"HX-Request": "true"})
    asked.answers.filter(side=1).update(finished_at=AT, length=3, total_ms=7, text="x")

    after = signed_in.get(page(contest, asked), headers={"HX-Request": "true"})

    def without_token(response):
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", html_of(response))

    assert without_token(before) == without_token(after)
    assert 'hx-trigger="every 2s"' in html_of(after)


def test_both_answers_stand_side_by_side_and_tell_nothing_else(signed_in, contest):
    asked = contest.ready("So:\n```py\nprint(1)\n```", "<script>x</script> & **bold**")

    response = signed_in.get(page(contest, asked))

    html = html_of(response)
    assert "<code>print(1)</code>" in html
    assert "&lt;script&gt;x&lt;/script&gt; &amp; **bold**" in html
    assert "<script>x" not in html
    keys = re.findall(r'name="outcome" value="(\w+)" data-key="([^"]+)" aria-pressed="(\w+)"', html)
    assert keys == [
        ("left", "ArrowLeft", "false"),
        ("tie", "t T", "false"),
        ("both_bad", "n N", "false"),
        ("right", "ArrowRight", "false"),
    ]
    told = html + str(response.headers)
    for candidate in contest.candidates:
        assert candidate.name not in told
        assert candidate.slug not in told
        assert candidate.upstream_model not in told
        assert candidate.provider.name not in told
    for call_id in asked.answers.values_list("call_id", flat=True):
        assert str(call_id) not in told
    assert "every 2s" not in html


def test_the_fragment_says_aloud_that_the_answers_are_here(signed_in, contest):
    asked = contest.ready()

    html = html_of(signed_in.get(page(contest, asked), headers={"HX-Request": "true"}))

    assert "Both answers are here." in html
    assert "<html" not in html
    assert html.count('id="comparison"') == 1


@pytest.mark.parametrize("outcome", ["left", "right", "tie", "both_bad"])
def test_a_vote_is_stored_and_the_next_prompt_asked_for(signed_in, contest, outcome):
    asked = contest.ready()

    response = signed_in.post(page(contest, asked, "vote/"), {"outcome": outcome})

    assert (response.status_code, response.url) == (302, page(contest))
    assert states() == [(outcome, None)]
    html = html_of(signed_in.get(page(contest)))
    assert "Your vote counts. Next prompt?" in html
    assert "autofocus" in html
    for candidate in contest.candidates:
        assert candidate.name not in html


def test_a_vote_can_be_changed_and_withdrawn(signed_in, contest):
    asked = contest.ready()
    signed_in.post(page(contest, asked, "vote/"), {"outcome": "left"})
    html = html_of(signed_in.get(page(contest, asked)))
    assert re.findall(r'value="(\w+)" data-key="[^"]+" aria-pressed="true"', html) == ["left"]

    signed_in.post(page(contest, asked, "vote/"), {"outcome": "tie"})
    assert states() == [("tie", None)]
    response = signed_in.post(page(contest, asked, "withdraw/"), follow=True)

    assert states() == [("tie", AT)]
    assert "Your vote is withdrawn and counts nowhere." in html_of(response)


def test_erased_answers_leave_the_vote(signed_in, contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="right", now=AT)
    erase_prompts(person=contest.person)

    html = html_of(signed_in.get(page(contest, asked)))

    assert "The answers are erased" in html
    assert "You said: B is better." in html


def test_reading_records_nothing(signed_in, contest, valkey):
    asked = contest.ready()

    codes = [
        signed_in.get(page(contest, action="ask/"), {"prompt": "Why?"}).status_code,
        signed_in.get(page(contest, asked, "vote/"), {"outcome": "left"}).status_code,
        signed_in.get(page(contest, asked, "withdraw/")).status_code,
        signed_in.get(page(contest, asked), {"outcome": "left"}).status_code,
    ]

    assert codes == [405, 405, 405, 200]
    assert (states(), queued(valkey)) == ([("", None)], 0)


def test_the_page_asks_the_same_queries_for_any_number(signed_in, contest):
    counts = []
    for number in range(3):
        contest.ready(now=NOON - number * timedelta(minutes=5))
        signed_in.get(page(contest))
        with CaptureQueriesContext(connection) as queries:
            response = signed_in.get(page(contest))
        assert len(response.context["recent"]) == number + 1
        counts.append(len(queries))

    assert counts == [counts[0]] * 3


def test_pages_are_never_kept_by_a_browser(signed_in, contest):
    response = signed_in.get(page(contest, contest.ready()))

    assert "no-store" in response["Cache-Control"]
