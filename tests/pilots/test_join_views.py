"""The page behind a join link, for somebody who signs in and for somebody new."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.pilots import join_links
from apps.pilots.join_links import make_join_link
from apps.pilots.models import Enrollment, JoinLink, Pilot
from tests.accounts.signing_in import is_signed_in
from tests.factories import PASSWORD, make_candidate, make_pilot, make_trial, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
NEW = {
    "email": "new@example.com",
    "name": "New One",
    "password": PASSWORD,
    "repeated": PASSWORD,
}
CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.fixture
def pilot():
    today = timezone.localdate()
    return make_pilot(slug="p", starts_on=today, ends_on=today + timedelta(days=27))


@pytest.fixture
def path(pilot):
    _, secret = make_join_link(
        pilot=pilot,
        email_domains=["example.com"],
        most_uses=3,
        lasts=timedelta(days=7),
        now=timezone.now(),
    )
    return f"/join-pilot/{secret}/"


@pytest.fixture
def no_mail(settings):
    settings.EMAIL_BACKEND = CONSOLE


def outcome(response):
    return response.status_code, response.headers.get("location"), response.content.decode()


def emails_in():
    enrolled = Enrollment.objects.filter(left_at=None).order_by("id")
    return list(enrolled.values_list("person__user__email", flat=True))


def test_page_tells_what_one_joins_before_one_does(client, pilot, path):
    make_trial(pilot, make_candidate(name="Secret 7B"))

    page = client.get(path)

    text = page.content.decode()
    assert [each.value for each in page.context["residences"]] == ["outside"]
    assert "sums over five people and more" in text
    assert "Secret 7B" not in text
    assert "no-store" in page["cache-control"]
    assert page["referrer-policy"] == "same-origin"


def test_somebody_who_signs_in_presses_one_button(client, pilot, path):
    user = make_user(email="dev@example.com")
    client.force_login(user)

    assert emails_in() == []
    client.get(path)
    assert emails_in() == []
    response = client.post(path)

    assert (response.status_code, response.url) == (302, "/")
    assert emails_in() == ["dev@example.com"]
    # The link leads home from then on, even when it is used up.
    JoinLink.objects.update(uses=3)
    assert client.get(path).url == "/"


def test_address_of_another_domain_is_told(client, path):
    client.force_login(make_user(email="dev@other.com"))

    response = client.post(path)

    assert (response.status_code, emails_in()) == (200, [])
    assert [str(each) for each in response.context["messages"]] == [
        "This link is not for dev@other.com."
    ]


@pytest.mark.usefixtures("no_mail")
def test_somebody_new_makes_an_account_and_signs_in(client, path):
    response = client.post(path, NEW)

    there = path.replace("/", "%2F")
    assert (response.status_code, response.url) == (302, f"/accounts/login/?next={there}")
    assert User.objects.values_list("email", "name", "role").get() == (
        "new@example.com",
        "New One",
        "developer",
    )
    assert emails_in() == ["new@example.com"]
    told = {"login": "new@example.com", "password": PASSWORD, "next": path}
    assert client.post("/accounts/login/", told).url == path
    assert client.get(path).url == "/"


@pytest.mark.usefixtures("no_mail")
def test_answer_is_the_same_for_an_address_that_is_somebodys(client, path):
    make_user(email="known@example.com")

    new = client.post(path, NEW)
    known = client.post(path, NEW | {"email": "known@example.com"})

    assert outcome(new) == outcome(known)
    assert User.objects.get(email="known@example.com").name == "Someone"
    assert not is_signed_in(client)
    assert emails_in() == ["new@example.com"]


@pytest.mark.usefixtures("no_mail")
@pytest.mark.parametrize(
    ("change", "field", "error"),
    [
        ({"email": "new@other.com"}, "email", "This link is for other addresses."),
        ({"email": "new"}, "email", "Enter a valid email address."),
        ({"name": ""}, "name", "This field is required."),
        ({"repeated": "another one"}, "repeated", "The two passwords are not the same."),
    ],
)
def test_faulty_form_says_where_and_makes_nobody(client, path, change, field, error):
    response = client.post(path, NEW | change)

    assert response.context["form"].errors == {field: [error]}
    assert User.objects.count() == 0


def test_where_mail_is_set_up_a_letter_proves_the_address(client, path):
    response = client.post(path, {"email": "new@example.com"})

    letter = mail.outbox[0]
    link = next(word for word in letter.body.split() if "/join/" in word)
    assert (letter.to, response.context["asked"]) == (["new@example.com"], "new@example.com")
    assert User.objects.count() == 0
    client.post(link[link.index("/join/") :], NEW)
    assert emails_in() == ["new@example.com"]


def test_letter_goes_to_an_address_that_is_somebodys_too(client, path):
    make_user(email="known@example.com")

    pages = [
        client.post(path, {"email": email}).content.decode().replace(email, "…")
        for email in ("known@example.com", "fresh@example.com")
    ]

    assert pages[0] == pages[1]
    assert [letter.to for letter in mail.outbox] == [["known@example.com"], ["fresh@example.com"]]
    assert "/join/" not in mail.outbox[0].body
    assert User.objects.count() == 1


def test_without_passwords_only_single_sign_on_leads_in(client, path, settings):
    settings.PASSWORD_SIGN_IN, settings.SINGLE_SIGN_ON = False, True

    page = client.get(path)
    posted = client.post(path, NEW)

    assert "form" not in page.context
    there = path.replace("/", "%2F")
    assert page.context["single_sign_on"] == f"/accounts/oidc/oidc/login/?next={there}"
    assert (posted.status_code, User.objects.count()) == (200, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {
            "expires_at": timezone.now() + timedelta(seconds=-1),
            "created_at": timezone.now() - timedelta(days=9),
        },
        {"uses": 3},
    ],
)
def test_link_that_is_closed_says_no_more_than_that(client, path, change):
    JoinLink.objects.update(**change)
    client.force_login(make_user(Role.DEVELOPER, email="dev@example.com"))

    responses = [client.get(path), client.post(path), client.get("/join-pilot/unknown/")]

    assert [response.status_code for response in responses] == [410] * 3
    assert responses[0].content == responses[2].content
    assert emails_in() == []


@pytest.mark.usefixtures("no_mail")
def test_tries_are_counted(client, path):
    answers = [client.post(path, NEW | {"name": ""}).status_code for _ in range(21)]

    assert answers == [200] * 20 + [429]


@pytest.mark.parametrize("race", ["full", "closed"])
def test_link_that_closes_while_one_joins_says_so(client, path, monkeypatch, race):
    client.force_login(make_user(email="ada@example.com"))
    joined = join_links.join_by_link

    def overtaken(link, **told):
        if race == "closed":
            Pilot.objects.update(closed_at=told["now"])
        else:
            JoinLink.objects.update(uses=3)
        return joined(link=link, **told)

    monkeypatch.setattr(join_links, "join_by_link", overtaken)
    response = client.post(path)

    assert (response.status_code, emails_in()) == (410, [])
