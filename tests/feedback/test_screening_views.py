"""The pages of the screening: one prompt, several named candidates."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Role
from apps.feedback.comparison_votes import erase_prompts, pick
from apps.feedback.models import Comparison
from apps.pilots.models import Stage
from pilotdash.celery import app as celery
from tests.factories import NOON, make_enrollment, make_price, make_user
from tests.feedback.comparing import make_contest

AT = NOON + timedelta(minutes=1)


@pytest.fixture
def contest(db):
    return make_contest(3, stage=Stage.SCREENING)


@pytest.fixture
def clock(monkeypatch, valkey):
    monkeypatch.setattr(timezone, "now", lambda: AT)


@pytest.fixture
def signed_in(client, contest):
    client.force_login(contest.user)
    return client


pytestmark = pytest.mark.usefixtures("clock")


def page(contest, comparison=None, action=""):
    path = f"/pilots/{contest.pilot.slug}/side-by-side/"
    return path + action if comparison is None else f"{path}{comparison.id}/{action}"


def html_of(response):
    return response.content.decode()


def ask(client, contest, prompt="Why?", candidates=None):
    chosen = [each.id for each in candidates or contest.candidates]
    return client.post(page(contest, action="ask/"), {"prompt": prompt, "candidates": chosen})


def picks():
    rows = Comparison.objects.order_by("created_at")
    return list(rows.values_list("winner_id", "voted_at", "withdrawn_at"))


def test_the_page_offers_every_candidate(signed_in, contest):
    html = html_of(signed_in.get(page(contest)))

    for candidate in contest.candidates:
        assert candidate.name in html
    assert html.count("checked") == 3
    assert "What you have seen" not in html


def test_those_who_were_chosen_are_asked(signed_in, contest, valkey):
    chosen = contest.candidates[:2]

    response = ask(signed_in, contest, candidates=chosen)

    asked = Comparison.objects.get()
    assert (response.status_code, response.url) == (302, page(contest, asked))
    assert set(asked.answers.values_list("candidate_id", flat=True)) == {c.id for c in chosen}
    assert valkey.llen(celery.conf.broker_transport_options["global_keyprefix"] + "celery") == 1
    assert "2 candidates are answering." in html_of(signed_in.get(response.url))


@pytest.mark.parametrize(
    ("count", "sentence"),
    [(0, "Choose at least two candidates."), (1, "Choose 2 to 8 candidates; you chose 1.")],
)
def test_too_few_are_refused(signed_in, contest, count, sentence):
    chosen = {"candidates": [each.id for each in contest.candidates[:count]]}

    html = html_of(signed_in.post(page(contest, action="ask/"), {"prompt": "Mine"} | chosen))

    assert sentence in html
    assert "Mine" in html
    assert Comparison.objects.count() == 0


def test_a_candidate_of_elsewhere_is_refused(signed_in, contest):
    stranger = make_contest().candidates[0]

    html = html_of(ask(signed_in, contest, candidates=[contest.candidates[0], stranger]))

    assert "is not one of the available choices" in html
    assert Comparison.objects.count() == 0


def test_answers_stand_beside_each_other_with_name_time_and_cost(signed_in, contest):
    make_price(contest.candidates[0])
    asked = contest.answered(contest.screen("x" * 400), "y" * 400, "<b>Two.</b>", None)

    html = html_of(signed_in.get(page(contest, asked)))

    assert [each.name in html for each in contest.candidates] == [True, True, True]
    assert "≈ $0.0006" in html
    assert "&lt;b&gt;Two.&lt;/b&gt;" in html
    assert "It did not answer." in html
    offered = re.findall(r'name="winner" value="(\d*)" data-key="([^"]+)"', html)
    first, second, _ = contest.candidates
    assert offered == [(str(first.id), "1"), (str(second.id), "2"), ("", "n N")]


def test_the_best_is_picked_changed_and_withdrawn(signed_in, contest):
    asked = contest.answered(contest.screen(), "One.", "Two.", "Three.")
    second = contest.candidates[1]

    response = signed_in.post(page(contest, asked, "pick/"), {"winner": second.id}, follow=True)
    assert picks() == [(second.id, AT, None)]
    html = html_of(response)
    assert "That is kept. Next prompt?" in html
    assert "What you have seen" in html
    html = html_of(signed_in.get(page(contest, asked)))
    assert f'aria-pressed="true">Picked<span class="sr"> {second.name}' in html

    signed_in.post(page(contest, asked, "pick/"), {"winner": ""})
    assert picks() == [(None, AT, None)]
    response = signed_in.post(page(contest, asked, "withdraw/"), follow=True)

    assert picks() == [(None, AT, AT)]
    assert "Your choice is withdrawn and counts nowhere." in html_of(response)


@pytest.mark.parametrize("winner", ["failed", "999999", "x"])
def test_only_one_that_answered_is_picked(signed_in, contest, winner):
    asked = contest.answered(contest.screen(), "One.", "Two.", None)
    said = contest.candidates[2].id if winner == "failed" else winner

    response = signed_in.post(page(contest, asked, "pick/"), {"winner": said}, follow=True)

    assert "Pick one of those who answered, or none." in html_of(response)
    assert picks() == [(None, None, None)]


def test_nothing_is_picked_before_the_answers_are_there(signed_in, contest):
    asked = contest.screen(now=AT)

    response = signed_in.post(page(contest, asked, "pick/"), {"winner": ""}, follow=True)

    assert "The answers are not there, so there is nothing to judge." in html_of(response)
    assert picks() == [(None, None, None)]


def test_nobody_answering_is_said(signed_in, contest):
    asked = contest.answered(contest.screen(), None, None, None)

    html = html_of(signed_in.get(page(contest, asked)))

    assert "Nobody answered. Try again; this one does not count." in html
    assert 'name="winner"' not in html


def test_erased_answers_are_said(signed_in, contest):
    asked = contest.answered(contest.screen(), "One.", "Two.", "Three.")
    pick(comparison=asked, winner_id=None, now=AT)
    erase_prompts(person=contest.person)

    html = html_of(signed_in.get(page(contest, asked)))

    assert "The answers are erased" in html
    assert "Withdraw my choice" in html


@pytest.mark.parametrize(
    ("named", "role", "seen"),
    [
        (False, Role.DEVELOPER, False),
        (False, Role.LEAD, False),
        (True, Role.DEVELOPER, False),
        (True, Role.LEAD, True),
    ],
)
def test_sums_of_everybody_follow_the_rules_of_figures(client, db, named, role, seen):
    contest = make_contest(3, stage=Stage.SCREENING, people_named=named)
    for person in (contest.person, contest.colleague().person):
        contest.answered(contest.screen(person=person), "One.", "Two.", "Three.")
    reader = make_user(role=role)
    make_enrollment(contest.pilot, reader.person)
    client.force_login(reader)

    html = html_of(client.get(page(contest)))

    assert ("What everybody has seen" in html) is seen
    assert ("from five people on" in html) is not seen
    assert "What you have seen" not in html


def answers(client, contest, asked):
    return [
        client.get(page(contest)).status_code,
        client.get(page(contest, asked)).status_code,
        client.post(page(contest, asked, "pick/"), {"winner": ""}).status_code,
        client.post(page(contest, asked, "withdraw/")).status_code,
    ]


@pytest.mark.parametrize(
    ("role", "takes_part", "expected"),
    [
        (Role.ADMIN, False, [200, 404, 404, 404]),
        (Role.DEVELOPER, True, [200, 404, 404, 404]),
        (Role.DEVELOPER, False, [404, 404, 404, 404]),
        (Role.VIEWER, False, [403, 403, 403, 403]),
    ],
)
def test_nobody_sees_or_picks_for_others(client, contest, role, takes_part, expected):
    asked = contest.answered(contest.screen(), "One.", "Two.", "Three.")
    user = make_user(role=role)
    if takes_part:
        make_enrollment(contest.pilot, user.person)
    client.force_login(user)

    assert answers(client, contest, asked) == expected
    assert picks() == [(None, None, None)]


def test_who_takes_no_part_asks_nobody(client, contest):
    client.force_login(make_user(role=Role.LEAD))

    assert "You do not take part" in html_of(client.get(page(contest)))
    ask(client, contest)

    assert Comparison.objects.count() == 0


def test_reading_records_nothing_and_neither_does_a_form_without_its_token(contest):
    asked = contest.answered(contest.screen(), "One.", "Two.", "Three.")
    client = Client(enforce_csrf_checks=True)
    client.force_login(contest.user)

    codes = [
        client.get(page(contest, action="ask/")).status_code,
        client.get(page(contest, asked, "pick/"), {"winner": ""}).status_code,
        client.get(page(contest, asked, "withdraw/")).status_code,
        ask(client, contest).status_code,
        *answers(client, contest, asked)[2:],
    ]

    assert codes == [405, 405, 405, 403, 403, 403]
    assert picks() == [(None, None, None)]
