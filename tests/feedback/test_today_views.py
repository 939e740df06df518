"""The page of today and how one is asked, through the pages' own forms."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Role
from apps.feedback.daily import answer, ask
from apps.feedback.models import AskPreference, DailyQuestion, PulseAnswer, SampledAnswer
from apps.feedback.preferences import choose
from apps.feedback.samples import pick
from apps.feedback.today_views import TRIES_PER_MINUTE
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


def test_nothing_says_who_answers_a_blind_role(world, page):
    secret = make_candidate(name="Secret model", slug="secret-model")
    make_rotation(world.pilot, "chat", [secret])
    world.pilot.sample_share = Decimal(1)
    world.call(alias="pilot-chat", candidate=secret)
    pick(pilot=world.pilot, now=AT)

    bodies = [page().content, page("today/answer/", day(score="4")).content, page().content]

    assert DailyQuestion.objects.get().candidate_id == secret.id
    assert not any(b"ecret" in body for body in bodies)


def preference(**fields):
    return {"channel": "page", "hour": "16", "webhook": ""} | fields


def test_way_of_being_asked_is_chosen(world, page):
    response = page("asking/", preference(channel="shell", hour="9"))

    assert told(response) == ["Saved."]
    assert AskPreference.objects.values_list("channel", "hour").get() == ("shell", 9)


def test_address_of_a_chat_is_stored_and_never_shown(world, page):
    address = "https://hooks.example/services/T0/B0/verysecret"

    page("asking/", preference(channel="webhook", webhook=f" {address}\n"))
    shown = page("asking/").content.decode()

    assert "hooks.example, ends in cret" in shown
    assert "verysecret" not in shown


@pytest.mark.parametrize(
    ("fields", "where", "sentence"),
    [
        (
            {"channel": "webhook"},
            "webhook",
            "Type the address of your chat’s incoming webhook.",
        ),
        (
            {"channel": "webhook", "webhook": "https://10.0.0.1/a"},
            "webhook",
            "PilotDash posts to public addresses alone, and to hosts that its operator named in "
            "PILOTDASH_WEBHOOK_HOSTS.",
        ),
        (
            {"channel": "webhook", "webhook": "http://hooks.example/a"},
            "webhook",
            "Use https: the address is a secret.",
        ),
        (
            {"channel": "pigeon"},
            "channel",
            "Select a valid choice. pigeon is not one of the available choices.",
        ),
        ({"hour": "24"}, "hour", "Select a valid choice. 24 is not one of the available choices."),
    ],
)
def test_what_cannot_be_chosen_is_told_at_its_field(page, fields, where, sentence):
    response = page("asking/", preference(**fields))

    assert response.context["form"].errors == {where: [sentence]}
    assert not AskPreference.objects.exists()


def test_mail_is_not_chosen_where_none_leaves(page, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    response = page("asking/", preference(channel="email"))

    assert response.context["form"].errors == {
        "channel": ["This installation sends no mail; choose another way."]
    }


def test_one_press_ends_all_asking(world, page):
    page("asking/", {"do": "stop"})

    assert AskPreference.objects.values_list("channel").get() == ("off",)
    assert "Off for good" not in page("asking/").content.decode()


def test_chat_is_tried_at_once(world, page, chat):
    choose(enrollment=world.enrollment, channel="webhook", hour=16, webhook=chat.url, now=NOON)
    assert told(page("asking/try/", {})) == ["A message was sent to your chat."]
    chat.answers["/services/T0/B0/secret"] = (404, {})
    refused = page("asking/try/", {})

    assert told(refused)[-1] == "The message did not arrive. It answered with HTTP 404."
    assert [post["text"].splitlines()[0] for post in chat.posts] == [
        "*PilotDash reaches you here.*"
    ] * 2


def test_a_minute_takes_so_many_tries(world, page, chat):
    choose(enrollment=world.enrollment, channel="webhook", hour=16, webhook=chat.url, now=NOON)
    for _ in range(TRIES_PER_MINUTE):
        page("asking/try/", {})

    refused = page("asking/try/", {})

    assert told(refused)[-1] == "That was very often; try again in 60 s."
    assert len(chat.posts) == TRIES_PER_MINUTE == 3


def test_nothing_is_tried_without_an_address(page):
    assert told(page("asking/try/", {})) == [
        "The message did not arrive. There is no address; save one first."
    ]


def test_texts_are_set_up_by_administrators(client, world):
    client.force_login(make_user(Role.ADMIN, totp_exempt=True))
    url = f"/setup/pilots/{world.pilot.slug}/questions/"
    fields = {"daily": "Helpful?", "trust": "", "reliance": "Miss it?", "sample_percent": "12.5"}

    shown = client.get(url).context["form"]
    assert (list(shown.fields), str(shown.initial["sample_percent"])) == (
        ["daily", "trust", "reliance", "usefulness", "time_saved", "sample_percent"],
        "5.0",
    )
    response = client.post(url, fields | {"usefulness": "", "time_saved": ""})

    assert response["location"] == url
    stored = Pilot.objects.get()
    assert (stored.daily_question, stored.pulse_questions, stored.sample_share) == (
        "Helpful?",
        ["", "Miss it?", "", ""],
        Decimal("0.125"),
    )
    Pilot.objects.update(closed_at=NOON)
    refused = client.post(url, fields | {"daily": "Other?"})
    assert refused.context["form"].non_field_errors() == [
        "This pilot is closed; nothing in it changes any more."
    ]


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
