"""What the pages of blind comparison refuse, to whom, and how they say it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.feedback.comparison_queries import TRY_AGAIN
from apps.feedback.comparison_votes import vote
from apps.feedback.models import Comparison
from apps.pilots.models import Stage
from pilotdash.celery import app as celery
from tests.factories import NOON, make_enrollment, make_pilot, make_user
from tests.feedback.comparing import make_contest
from tests.gateway.live import free_port

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


def test_a_failure_says_so_and_offers_the_same_prompt_again(signed_in, contest, valkey):
    asked = contest.answered(contest.ask('Is "a" <b>?\n\tx', now=NOON), "One.", None)

    html = html_of(signed_in.get(page(contest, asked)))

    assert TRY_AGAIN in html
    assert '<input type="hidden" name="prompt" value="Is &quot;a&quot; &lt;b&gt;?\n\tx">' in html
    again = {"prompt": 'Is "a" <b>?\r\n\tx', "role": "chat"}
    response = signed_in.post(page(contest, action="ask/"), again)
    assert response.status_code == 302
    assert Comparison.objects.count() == 2


def test_without_a_broker_the_comparison_fails_at_once(signed_in, contest, monkeypatch):
    away = f"redis://127.0.0.1:{free_port()}/0"
    monkeypatch.setattr(celery.amqp, "_producer_pool", None)
    monkeypatch.setattr(celery, "_pool", None)
    monkeypatch.setattr(celery.conf, "broker_write_url", away)

    response = signed_in.post(page(contest, action="ask/"), {"prompt": "Why?"}, follow=True)

    assert TRY_AGAIN in html_of(response)
    assert Comparison.objects.get().failed_at == AT


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Paste or write a prompt first."),
        ({"prompt": " \n "}, "Paste or write a prompt first."),
        ({"prompt": "x" * 20_001}, "A prompt has at most 20,000 characters."),
        ({"prompt": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_a_prompt_that_is_none_is_refused(signed_in, contest, said, sentence):
    html = html_of(signed_in.post(page(contest, action="ask/"), said))

    assert sentence in html
    assert Comparison.objects.count() == 0


def test_one_at_a_time_is_said_and_the_prompt_kept(signed_in, contest):
    contest.ask(now=AT)

    html = html_of(signed_in.post(page(contest, action="ask/"), {"prompt": "Mine, kept"}))

    assert "The answers to your last prompt are still on their way." in html
    assert "Mine, kept" in html
    assert Comparison.objects.count() == 1


def test_a_vote_that_is_none_changes_nothing(signed_in, contest):
    asked = contest.ready()

    response = signed_in.post(page(contest, asked, "vote/"), {"outcome": "best"}, follow=True)

    assert "Vote with one of the four buttons." in html_of(response)
    assert states() == [("", None)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"closed_at": NOON}, "Nothing is compared blind any more"),
        ({"unblinded_at": NOON}, "Nothing is compared blind any more"),
        ({"starts_on": NOON.date() + timedelta(days=3)}, "The pilot has not begun"),
    ],
)
def test_the_page_says_why_nothing_is_compared(client, db, change, sentence):
    contest = make_contest(**change)
    client.force_login(contest.user)

    html = html_of(client.get(page(contest)))

    assert sentence in html
    assert "Ask both" not in html
    response = client.post(page(contest, action="ask/"), {"prompt": "Why?"})
    assert "Ask both" not in html_of(response)
    assert Comparison.objects.count() == 0


def test_the_page_says_that_two_are_needed(client, db):
    contest = make_contest(1)
    client.force_login(contest.user)

    assert "Nobody to compare" in html_of(client.get(page(contest)))


def test_votes_do_not_change_once_everybody_may_know(signed_in, contest):
    asked = contest.ready()
    vote(comparison=asked, outcome="left", now=AT)
    contest.pilot.closed_at = AT
    contest.pilot.save(update_fields=["closed_at"])

    html = html_of(signed_in.get(page(contest, asked)))
    assert "Votes no longer change. You said: A is better." in html
    response = signed_in.post(page(contest, asked, "vote/"), {"outcome": "tie"}, follow=True)
    assert "Votes no longer change; you can still withdraw yours." in html_of(response)
    signed_in.post(page(contest, asked, "withdraw/"))

    assert states() == [("left", AT)]


def answers(client, contest, asked):
    """What every route says to whoever is signed in."""
    return [
        client.get(page(contest)).status_code,
        client.get(page(contest, asked)).status_code,
        client.post(page(contest, asked, "vote/"), {"outcome": "left"}).status_code,
        client.post(page(contest, asked, "withdraw/")).status_code,
    ]


@pytest.mark.parametrize(
    ("role", "takes_part", "expected"),
    [
        # The page itself; then somebody else's comparison, which exists for nobody but its author.
        (Role.ADMIN, False, [200, 404, 404, 404]),
        (Role.LEAD, True, [200, 404, 404, 404]),
        (Role.DEVELOPER, True, [200, 404, 404, 404]),
        (Role.DEVELOPER, False, [404, 404, 404, 404]),
        (Role.VIEWER, False, [403, 403, 403, 403]),
    ],
)
def test_nobody_sees_or_judges_the_comparisons_of_others(
    client, contest, role, takes_part, expected
):
    asked = contest.ready()
    vote(comparison=asked, outcome="tie", now=AT)
    user = make_user(role=role)
    if takes_part:
        make_enrollment(contest.pilot, user.person)
    client.force_login(user)

    assert answers(client, contest, asked) == expected
    assert states() == [("tie", None)]


def test_who_takes_no_part_begins_none(client, contest, valkey):
    client.force_login(make_user(role=Role.LEAD))

    assert "You do not take part" in html_of(client.get(page(contest)))
    client.post(page(contest, action="ask/"), {"prompt": "Why?"})

    assert (Comparison.objects.count(), queued(valkey)) == (0, 0)


def test_a_comparison_under_another_pilot_or_stage_does_not_exist(signed_in, contest):
    asked = contest.ready()
    other = make_pilot()
    make_enrollment(other, contest.person)
    assert signed_in.get(f"/pilots/{other.slug}/blind/{asked.id}/").status_code == 404

    assert signed_in.get(f"/pilots/{contest.pilot.slug}/side-by-side/").status_code == 404
    contest.pilot.stage = Stage.SCREENING
    contest.pilot.save(update_fields=["stage"])
    assert signed_in.get(page(contest)).status_code == 404
    path = f"/pilots/{contest.pilot.slug}/side-by-side/{asked.id}/"
    assert signed_in.get(path).status_code == 404


def test_visitors_are_sent_to_sign_in(client, contest):
    assert answers(client, contest, contest.ready()) == [302, 302, 302, 302]
    assert states() == [("", None)]


def test_a_form_without_its_token_changes_nothing(contest, valkey):
    client = Client(enforce_csrf_checks=True)
    client.force_login(contest.user)
    asked = contest.ready()

    codes = [
        client.post(page(contest, action="ask/"), {"prompt": "Why?"}).status_code,
        *answers(client, contest, asked)[2:],
    ]

    assert codes == [403, 403, 403]
    assert (states(), queued(valkey)) == ([("", None)], 0)
