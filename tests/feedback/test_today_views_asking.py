"""How one is asked, and the words of the questions, through the pages' own forms."""

from decimal import Decimal

import pytest
from django.contrib.messages import get_messages

from apps.accounts.models import Role
from apps.feedback.models import AskPreference
from apps.feedback.preferences import choose
from apps.feedback.today_views import TRIES_PER_MINUTE
from apps.pilots.models import Pilot
from tests.factories import NOON, make_user

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def page(signed_in, world):
    """Get or post one of the pages."""

    def page(path="today/", data=None, **headers):
        url = f"/pilots/{world.pilot.slug}/{path}"
        if data is None:
            return signed_in.get(url, headers=headers)
        return signed_in.post(url, data, headers=headers)

    return page


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


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
