"""The step of people and privacy: invitations, join links, what is asked."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Role
from apps.pilots.join_links import join_link_of
from apps.pilots.models import JoinLink, Pilot
from apps.pilots.queries import participants
from tests.factories import make_pilot, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
PAGE = "/setup/pilots/p/plan/people/"
PRIVACY = {"rating_scale": "stars", "sample_share": "12.5", "people_named": "on"}


@pytest.fixture
def pilot(client):
    client.force_login(make_user(Role.ADMIN, totp_exempt=True))
    return make_pilot(slug="p", started_at=None)


def said(response, form="form"):
    return {name: list(each) for name, each in response.context[form].errors.items()}


def test_what_is_asked_and_who_sees_it_is_stored(client, pilot):
    told = {
        "daily_question": "How did it go?",
        "pulse_1": "Would you miss it?",
        "rating_tags": "Saved  time\nwrong\n\nwrong",
        "widget_origins": "https://Tools.example.com/ http://localhost:3000",
    }

    response = client.post(PAGE, PRIVACY | told | {"go": "next"})

    assert response.url == "/setup/pilots/p/plan/measures/"
    assert Pilot.objects.values(
        "people_named",
        "rating_scale",
        "sample_share",
        "daily_question",
        "pulse_questions",
        "rating_tags",
        "widget_origins",
    ).get() == {
        "people_named": True,
        "rating_scale": "stars",
        "sample_share": Decimal("0.125"),
        "daily_question": "How did it go?",
        "pulse_questions": ["", "Would you miss it?", "", ""],
        "rating_tags": ["saved time", "wrong"],
        "widget_origins": ["https://tools.example.com", "http://localhost:3000"],
    }
    form = client.get(PAGE).context["form"]
    assert [form[name].value() for name in ("sample_share", "rating_tags", "pulse_1")] == [
        "12.5",
        "saved time\nwrong",
        "Would you miss it?",
    ]


def test_own_words_that_are_emptied_are_ours_again(client, pilot):
    client.post(PAGE, PRIVACY | {"pulse_0": "Mine", "rating_tags": "mine"})

    client.post(PAGE, PRIVACY)

    assert Pilot.objects.values_list("pulse_questions", "rating_tags").get() == ([], [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"widget_origins": "http://tools.example.com"},
            {
                "widget_origins": [
                    "“http://tools.example.com” has to begin with https, unless it is on this "
                    "machine."
                ]
            },
        ),
        (
            {"rating_tags": "a;b"},
            {"rating_tags": ["A tag is 1 to 40 letters a to z, digits, blanks and dashes."]},
        ),
        (
            {"rating_tags": "\n".join(map(str, range(13)))},
            {"rating_tags": ["At most 12; these are 13."]},
        ),
        (
            {"sample_share": "101"},
            {"sample_share": ["Ensure this value is less than or equal to 100."]},
        ),
    ],
)
def test_page_says_what_is_wrong(client, pilot, fields, expected):
    response = client.post(PAGE, PRIVACY | fields)

    assert (said(response), Pilot.objects.get().people_named) == (expected, False)


@pytest.mark.parametrize("has_mail", [True, False])
def test_developers_are_invited_and_enrolled(client, pilot, settings, has_mail):
    if not has_mail:
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    response = client.post(f"{PAGE}invite/", {"emails": "new@example.com"})

    people = participants(pilot, now=timezone.now())
    assert [(each.email, each.has_joined) for each in people] == [("new@example.com", False)]
    assert len(mail.outbox) == has_mail
    # The link stands on the page this once, and no cache keeps it.
    assert "/join/" in response.content.decode()
    assert "no-store" in response["cache-control"]


def test_link_is_made_and_shown_this_once(client, pilot):
    told = {"email_domains": "@Example.com, b.org", "most_uses": "30", "days": "7"}

    response = client.post(f"{PAGE}link/", told)

    link = JoinLink.objects.get()
    secret = re.search(r"/join-pilot/([\w-]+)/", response.content.decode())[1]
    assert join_link_of(secret) == link
    assert (link.email_domains, link.most_uses) == (["example.com", "b.org"], 30)
    assert link.expires_at - link.created_at == timedelta(days=7)
    assert "no-store" in response["cache-control"]
    assert secret not in client.get(PAGE).content.decode()
    assert client.get(PAGE).context["links"] == [link]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"email_domains": "not a domain!"}, {"email_domains": ["“a” is not a domain."]}),
        ({"most_uses": "0"}, {"most_uses": ["Ensure this value is greater than or equal to 1."]}),
        ({"days": "91"}, {"days": ["Ensure this value is less than or equal to 90."]}),
    ],
)
def test_link_that_cannot_be_is_refused(client, pilot, fields, expected):
    told = {"email_domains": "", "most_uses": "30", "days": "7"} | fields

    response = client.post(f"{PAGE}link/", told)

    found = said(response, "link_form")
    assert list(found) == list(expected)
    assert not JoinLink.objects.exists()


def test_link_is_revoked(client, pilot):
    client.post(f"{PAGE}link/", {"most_uses": "30", "days": "7"})

    response = client.post(f"{PAGE}links/{JoinLink.objects.get().id}/revoke/")

    assert response.url == PAGE
    assert client.get(PAGE).context["links"] == []


def test_link_of_another_pilot_is_not_there(client, pilot):
    client.post(f"{PAGE}link/", {"most_uses": "30", "days": "7"})
    make_pilot(slug="other")

    path = f"/setup/pilots/other/plan/people/links/{JoinLink.objects.get().id}/revoke/"

    assert client.post(path).status_code == 404
    assert JoinLink.objects.get().revoked_at is None


@pytest.mark.parametrize("has_mail", [True, False])
def test_page_says_what_a_link_is_worth_without_mail(client, pilot, settings, has_mail):
    if not has_mail:
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    page = client.get(f"/setup/pilots/{pilot.slug}/plan/people/").content.decode()

    assert ("sign up with a colleague’s address, also one of the domains" in page) is not has_mail
