import re
from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from apps.accounts import actions, audit, departures
from apps.accounts.models import AuditEntry, Invitation, Person, Role, User
from tests.factories import NOON, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


class RefusingBackend(EmailBackend):
    def send_messages(self, messages):
        raise ConnectionRefusedError


@pytest.fixture
def admin(client):
    user = make_user(Role.ADMIN, name="Root", email="root@example.com")
    client.force_login(user)
    return user


def invite(client, emails, role="developer"):
    return client.post("/setup/people/invite/", {"emails": emails, "role": role})


def links(response):
    return re.findall(r"http://127\.0\.0\.1:8000(/join/[\w-]{43}/)", response.content.decode())


def test_several_are_invited_at_once_each_with_a_link_of_their_own(client, admin, mailoutbox):
    response = invite(
        client, "a@example.com, <B@example.com>;\nc@example.com a@example.com", "lead"
    )

    rows = Invitation.objects.order_by("id").values_list("email", "role", "invited_by")
    assert list(rows) == [(f"{name}@example.com", "lead", admin.person_id) for name in "abc"]
    assert [mail.to for mail in mailoutbox] == [[f"{name}@example.com"] for name in "abc"]
    assert len(set(links(response))) == 3
    for path, mail in zip(links(response), mailoutbox, strict=True):
        assert path in mail.body
        assert path in mail.alternatives[0].content
        assert client.get(path).status_code == 200


def test_the_links_are_on_no_later_page(client, admin, mailoutbox):
    invite(client, "a@example.com")

    assert links(client.get("/setup/people/")) == []


def test_the_mail_says_who_invites_as_what_until_when(client, admin, mailoutbox):
    admin.name = "Eve\r\nBcc: all@example.com"
    admin.save()

    invite(client, "a@example.com", "viewer")

    (mail,) = mailoutbox
    until = timezone.now() + timedelta(days=14)
    assert mail.subject == "Eve Bcc: all@example.com invites you to try code models"
    assert "as a viewer." in mail.body
    assert f"until {until:%-d %B %Y}:" in mail.body


@pytest.mark.parametrize(
    ("backend", "title"),
    [
        ("django.core.mail.backends.console.EmailBackend", "No mail server is set up"),
        ("tests.accounts.test_setup_views.RefusingBackend", "The mail server did not take"),
    ],
)
def test_without_mail_the_links_are_there_to_hand_over(
    client, admin, settings, capsys, backend, title
):
    settings.EMAIL_BACKEND = backend

    response = invite(client, "a@example.com")

    assert title in response.content.decode()
    assert len(links(response)) == 1
    assert capsys.readouterr().out == ""  # not into the log


def test_who_signs_in_already_is_named_and_not_invited(client, admin, mailoutbox):
    response = invite(client, "root@example.com a@example.com")

    assert response.context["outcome"]["taken"] == ["root@example.com"]
    assert [mail.to for mail in mailoutbox] == [["a@example.com"]]


@pytest.mark.parametrize(
    ("emails", "error"),
    [
        ("a@example.com nonsense", "“nonsense” is not an e-mail address."),
        (" ", "This field is required."),
        (
            " ".join(f"a{n}@example.com" for n in range(101)),
            "At most 100 at a time; these are 101.",
        ),
    ],
)
def test_a_faulty_list_invites_nobody(client, admin, emails, error):
    response = invite(client, emails)

    assert response.context["form"].errors == {"emails": [error]}
    assert Invitation.objects.count() == 0


def test_an_invitation_is_revoked_and_its_link_dies(client, admin):
    invitation, token = actions.invite(
        email="a@example.com", role="lead", invited_by=None, now=timezone.now()
    )

    path = f"/setup/people/invitations/{invitation.id}/revoke/"
    said = [str(m) for m in client.post(path, follow=True).context["messages"]]
    said += [str(m) for m in client.post(path, follow=True).context["messages"]]

    assert said == [
        "The invitation of a@example.com is revoked.",
        "That invitation was not open any more.",
    ]
    assert client.get(f"/join/{token}/").status_code == 410


def test_the_page_tells_what_is_known_of_each(client, admin):
    now = timezone.now()
    make_user(Role.LEAD, name="Ada", is_active=False, last_login=now)
    make_user(Role.ADMIN, name="Demo", totp_exempt=True)
    actions.create_user(email="s@x.de", name="Sso", role="viewer", password=None, now=now)
    actions.invite(email="late@x.de", role="lead", invited_by=None, now=now - timedelta(days=15))
    actions.invite(email="new@x.de", role="lead", invited_by=admin.person, now=now)

    context = client.get("/setup/people/").context

    assert [
        (p.name, p.role, p.is_active, p.is_you, p.second_factor) for p in context["people"]
    ] == [
        ("Demo", "Administrator", True, False, "exempt (demo)"),
        ("Root", "Administrator", True, True, "at next sign-in"),
        ("Sso", "Viewer", True, False, "by single sign-on"),
        ("Ada", "Lead", False, False, "off"),
    ]
    assert [(i.email, i.invited_by, i.is_open) for i in context["invitations"]] == [
        ("new@x.de", "root@example.com", True),
        ("late@x.de", "the system", False),
    ]


@pytest.mark.parametrize("path", ["/setup/people/", "/setup/audit/"])
@pytest.mark.parametrize("rows", [1, 3])
def test_pages_ask_the_same_queries_for_any_number_of_rows(
    client, admin, rows, path, django_assert_num_queries
):
    for number in range(rows):
        user = make_user(name=f"Someone {number}")
        actions.invite(email=f"{number}@x.de", role="lead", invited_by=user.person, now=NOON)
    client.get(path)

    # The user, the page's own, and the pilots of the rail; the session is in the cache.
    with django_assert_num_queries(4 if path == "/setup/people/" else 5):
        client.get(path)


def test_a_role_is_changed(client, admin):
    user = make_user(Role.DEVELOPER)

    client.post(f"/setup/people/{user.id}/role/", {"role": "lead"})

    assert User.objects.get(id=user.id).role == Role.LEAD
    assert AuditEntry.objects.get().actor == admin.person


@pytest.mark.parametrize("role", ["", "owner"])
def test_an_unknown_role_changes_nothing(client, admin, role):
    client.post(f"/setup/people/{admin.id}/role/", {"role": role})

    assert User.objects.get().role == Role.ADMIN


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("role", {"role": "lead"}),
        ("access", {"do": "deactivate"}),
        ("delete", {"email": "root@example.com"}),
        ("delete", {"email": "root@example.com", "do": "erase"}),
    ],
)
def test_the_last_administrator_is_told_why_nothing_happened(client, admin, path, data):
    response = client.post(f"/setup/people/{admin.id}/{path}/", data, follow=True)

    assert [str(message) for message in response.context["messages"]] == [
        "This is the last administrator. Make somebody else one first."
    ]
    assert actions.active_administrators().get() == admin


def test_access_is_taken_and_given_back(client, admin):
    user = make_user()

    def state(do):
        client.post(f"/setup/people/{user.id}/access/", {"do": do})
        row = User.objects.get(id=user.id)
        return row.is_active, row.sign_outs

    assert [state(do) for do in ("sign_out", "deactivate", "reactivate", "nonsense")] == [
        (True, 1),
        (False, 1),
        (True, 2),
        (True, 2),
    ]


def test_deletion_wants_the_address_typed(client, admin):
    user = make_user(email="ada@example.com")

    response = client.post(f"/setup/people/{user.id}/delete/", {"email": "eve@example.com"})

    assert response.context["delete_form"].errors == {
        "email": ["That is not the address of this person."]
    }
    assert User.objects.filter(id=user.id).exists()


@pytest.mark.parametrize("do", ["delete", "erase"])
def test_a_person_is_deleted_or_erased(client, admin, monkeypatch, do):
    erased = []
    monkeypatch.setattr(departures, "_departure_listeners", [])
    monkeypatch.setattr(departures, "_erasure_listeners", [lambda who, now: erased.append(who.id)])
    user = make_user(email="ada@example.com")

    response = client.post(
        f"/setup/people/{user.id}/delete/", {"email": "Ada@Example.com", "do": do}
    )

    assert response["location"] == "/setup/people/"
    assert not User.objects.filter(id=user.id).exists()
    assert erased == ([user.person_id] if do == "erase" else [])
    assert (Person.objects.get(id=user.person_id).erased_at is not None) == (do == "erase")


def test_a_person_who_is_not_there_is_a_404(client, admin):
    assert client.get("/setup/people/999999/").status_code == 404


def test_the_trail_is_read_in_pages_without_gaps(client, admin):
    for number in range(120):
        audit.record(actor=None, action="did", subject=f"thing {number}", now=NOON)

    seen, path = [], "/setup/audit/"
    while path:
        context = client.get(path).context
        seen.append([row.subject for row in context["rows"]])
        path = context["older"] and f"/setup/audit/{context['older']}"

    assert [len(page) for page in seen] == [50, 50, 20]
    assert [row for page in seen for row in page] == [
        f"thing {number}" for number in reversed(range(120))
    ]


@pytest.mark.parametrize("before", ["x", "-1", "²", "1e3"])
def test_a_bad_cursor_is_the_first_page(client, admin, before):
    audit.record(actor=None, action="did", subject="thing", now=NOON)

    assert len(client.get("/setup/audit/", {"before": before}).context["rows"]) == 1


def test_the_trail_names_people_while_they_have_a_name(client, admin):
    user = make_user(email="ada@example.com")
    departures.change_role(user=user, role="lead", actor=admin.person, now=NOON)

    def row():
        first = client.get("/setup/audit/").context["rows"][-1]
        return first.actor, first.action, first.subject, first.detail

    detail = [("role", "developer → lead")]
    assert row() == ("root@example.com", "role changed", "ada@example.com", detail)
    departures.delete_person(user=user, actor=admin.person, now=NOON)
    subject = f"person {user.person.pseudonym}"
    assert row() == ("root@example.com", "role changed", subject, detail)
