"""The page of today, through its own forms."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role
from apps.feedback.daily import answer, ask
from apps.feedback.models import DailyQuestion, PulseAnswer, SampledAnswer
from apps.feedback.samples import pick
from apps.pilots.models import Pilot
from tests.factories import NOON, make_candidate, make_user
from tests.feedback.conftest import AT
from tests.feedback.days_of_use import WEDNESDAY, make_rotation, said

pytestmark = pytest.mark.usefixtures("clock")
DAY = timedelta(days=1)


@pytest.fixture
def page(signed_in, world):
    """Get or post one of the pages."""

    def page(path="today/", data=None, **headers):
        url = f"/pilots/{world.pilot.slug}/{path}"
        if data is None:
            return signed_in.get(url, headers=headers)
        return signed_in.post(url, data, headers=headers)

    return page


def day(**fields):
    return {"day": "2026-11-18", "role": "chat"} | fields


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_today_shows_the_question_and_asks_nobody(world, page):
    world.call()

    response = page()

    card = response.context["today"].card
    assert (card.text, card.role_words, card.day, card.score, card.is_open) == (
        "How was the assistant today?",
        "chat",
        WEDNESDAY,
        None,
        True,
    )
    assert [score.value for score in card.scores] == [1, 2, 3, 4, 5]
    assert not DailyQuestion.objects.exists()


def test_nothing_is_asked_before_anything_was_used(page):
    response = page()

    assert response.context["today"].card is None
    assert "Nothing to ask yet" in response.content.decode()


def test_an_answer_asks_and_stores_and_comes_back_to_the_page(world, page):
    world.call()

    response = page("today/answer/", day(score="4", reason="quick"))

    assert response["location"] == f"/pilots/{world.pilot.slug}/today/#day-2026-11-18"
    assert said() == [(4, "quick", None, None)]
    assert DailyQuestion.objects.get().via == "page"


def test_htmx_gets_the_card_with_what_was_said(world, page):
    world.call()

    response = page("today/answer/", day(score="4"), **{"HX-Request": "true"})

    html = response.content.decode()
    assert html.lstrip().startswith('<div class="day" id="day-2026-11-18">')
    assert html.count('aria-pressed="true"') == 1
    assert "You said 4 of 5." in html
    assert response.context["is_saved"] is True


def test_reason_skip_and_withdrawal_are_one_press_each(world, page):
    world.call()

    page("today/answer/", day(do="skip", reason=""))
    assert said() == [(None, "", AT, None)]
    page("today/answer/", day(score="2", reason=""))
    page("today/answer/", day(reason="slow"))
    assert said() == [(2, "slow", None, None)]
    page("today/answer/", day(do="withdraw", reason="slow"))

    assert said() == [(None, "", None, AT)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "only words"}, "Choose one of the five buttons."),
        ({"score": "6"}, "Choose one of the five buttons."),
        ({"score": "4", "reason": "a\x01"}, "A comment is plain text without control characters."),
        ({"do": "withdraw"}, "There is no answer to withdraw."),
        (
            {"score": "4", "day": "2026-11-17"},
            "You have used nothing on this day that the pilot asks about.",
        ),
    ],
)
def test_refusals_are_told_and_store_nothing(world, page, fields, sentence):
    world.call()

    response = page("today/answer/", day(**fields))

    assert told(response) == [sentence]
    assert said() == []


def test_the_role_that_was_shown_is_the_one_that_is_asked_about(world, page):
    world.call()
    for _ in range(3):
        world.call(task="edit")  # since the page was opened

    page("today/answer/", day(score="4"))

    assert DailyQuestion.objects.get().role == "chat"


def test_an_answer_for_a_role_that_the_day_is_not_about_is_refused(world, page):
    world.call(task="edit")
    ask(pilot=world.pilot, person=world.person, now=AT)

    response = page("today/answer/", day(score="4"))

    assert told(response) == [
        "The question of this day is about something else by now; it stands here."
    ]
    assert said() == [(None, "", None, None)]


def test_days_before_are_shown_and_corrected_for_a_week(world, page):
    for days in (1, 9):
        at = NOON - days * DAY
        world.call(at=at)
        question = ask(pilot=world.pilot, person=world.person, now=at)
        answer(question=question, pilot=world.pilot, score=3, via="page", now=at)

    days = page().context["today"].days
    assert [(each.day.day, each.score, each.is_open) for each in days] == [
        (17, 3, True),
        (9, 3, False),
    ]
    page("today/answer/", day(day="2026-11-17", score="5"))
    old = page("today/answer/", day(day="2026-11-09", score="5"))

    assert told(old)[-1] == "Answers are taken for seven days; this one is too long ago."
    assert said() == [(5, "", None, None), (3, "", None, None)]


def test_samples_are_shown_with_their_buttons(world, page):
    world.pilot.sample_share = Decimal(1)
    call = world.call()
    pick(pilot=world.pilot, now=AT)

    response = page()

    assert [card.call_id for card in response.context["today"].samples] == [call.id]
    assert f'id="call-{call.id}"' in response.content.decode()
    assert SampledAnswer.objects.count() == 1


def test_week_is_answered_skipped_and_withdrawn(world, page):
    world.call(at=NOON - 6 * DAY)  # the Thursday before: last week is in view on Wednesdays
    week = {"week": "2026-11-09"}
    assert page().context["today"].pulse.week.isoformat() == "2026-11-09"

    page("today/week/", week | {"do": "skip"})
    assert PulseAnswer.objects.get().skipped_at == AT
    response = page("today/week/", week | {"trust": "4", "comment": "fine"})
    assert response["location"] == f"/pilots/{world.pilot.slug}/today/#week"
    stored = PulseAnswer.objects.get()
    assert (stored.trust, stored.reliance, stored.comment, stored.via) == (4, None, "fine", "page")
    page("today/week/", week | {"do": "withdraw"})

    assert PulseAnswer.objects.get().withdrawn_at == AT


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Answer at least one of the questions, or skip the week."),
        ({"trust": "6"}, "Choose from 1 to 5."),
        ({"do": "withdraw"}, "There is no answer to withdraw."),
        (
            {"week": "2026-11-16", "trust": "4"},
            "Answers are taken for seven days; this one is too long ago.",
        ),
    ],
)
def test_refusals_of_a_week_are_told(world, page, fields, sentence):
    response = page("today/week/", {"week": "2026-11-09"} | fields)

    assert told(response) == [sentence]
    assert not PulseAnswer.objects.exists()


def test_a_closed_pilot_shows_what_was_said_and_gives_it_back(world, page):
    world.call(at=NOON - DAY)
    question = ask(pilot=world.pilot, person=world.person, now=NOON - DAY)
    answer(question=question, pilot=world.pilot, score=3, via="page", now=NOON - DAY)
    Pilot.objects.update(closed_at=NOON)

    assert "This pilot is closed." in page().content.decode()
    refused = page("today/answer/", day(day="2026-11-17", score="4"))
    page("today/answer/", day(day="2026-11-17", do="withdraw"))

    assert told(refused) == ["This pilot is closed; its answers no longer change."]
    assert said() == [(None, "", None, AT)]


def test_who_takes_no_part_is_told_so_and_answers_nothing(client, world):
    client.force_login(make_user(Role.LEAD))
    url = f"/pilots/{world.pilot.slug}/"

    assert "You do not take part in this pilot" in client.get(f"{url}today/").content.decode()
    assert client.post(f"{url}today/answer/", day(score="4")).status_code == 404
    assert client.get(f"{url}asking/").status_code == 404


def test_a_candidate_is_sent_away_here_and_an_announced_end_is_told(world, page):
    assert 'id="closing"' not in page().content.decode()
    assert 'id="not-this-one"' not in page().content.decode()
    make_rotation(world.pilot, "chat", [make_candidate(), make_candidate()])
    Pilot.objects.update(closes_at=AT + DAY, closing_announced_at=AT)

    html = page().content.decode()

    assert 'id="closing"' in html
    assert 'id="not-this-one"' in html


def test_nothing_says_who_answers_a_blind_role(world, page):
    secret = make_candidate(name="Secret model", slug="secret-model")
    make_rotation(world.pilot, "chat", [secret])
    world.pilot.sample_share = Decimal(1)
    world.call(alias="pilot-chat", candidate=secret)
    pick(pilot=world.pilot, now=AT)

    bodies = [page().content, page("today/answer/", day(score="4")).content, page().content]

    assert DailyQuestion.objects.get().candidate_id == secret.id
    assert not any(b"ecret" in body for body in bodies)


def test_today_asks_the_same_queries_for_any_number_of_days(world, page):
    world.call()
    counts = []
    for back in (1, 2, 5, 6):
        world.call(at=NOON - back * DAY)
        ask(pilot=world.pilot, person=world.person, now=NOON - back * DAY)
        page()  # whatever is looked up once is known from here on
        with CaptureQueriesContext(connection) as asked:
            page()
        counts.append(len(asked))

    assert len(set(counts)) == 1
