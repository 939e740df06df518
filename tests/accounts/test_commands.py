import io
import re

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import AuditEntry, Invitation, Role, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def told(*command):
    out = io.StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def typed(monkeypatch, text):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_the_first_link_makes_an_administrator_and_then_there_is_none(client, valkey):
    link = told("first_admin_link")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/join/[\w-]{43}/\n", link)

    password = "correct horse battery"
    form = {"email": "r@x.de", "name": "R", "password": password, "repeated": password}
    client.post(link.strip(), form)

    assert User.objects.get().role == Role.ADMIN
    assert told("first_admin_link") == ""


def test_each_run_prints_a_link_of_its_own_and_only_the_newest_works(client):
    links = [told("first_admin_link").strip() for _ in range(2)]

    assert [client.get(link).status_code for link in links] == [410, 200]
    assert Invitation.objects.filter(revoked_at=None).count() == 1


def test_break_glass_prints_a_link_and_leaves_a_trace(client):
    make_user(Role.ADMIN, email="root@example.com")

    link = told("break_glass", "Root@example.com").strip()

    assert client.get(link).status_code == 200
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == (
        "break-glass link made",
        {"second_factor_dropped": False},
    )


def test_break_glass_refuses_who_is_no_administrator():
    make_user(Role.LEAD, email="lead@example.com")

    with pytest.raises(CommandError, match="no active administrator"):
        told("break_glass", "lead@example.com")


def test_a_user_is_made_with_the_password_on_standard_input(monkeypatch):
    typed(monkeypatch, "correct horse battery\nmore\n")

    said = told("create_user", "ada@example.com", "--name", "Ada", "--role", "lead")

    user = User.objects.get()
    assert said == "ada@example.com can sign in as lead.\n"
    assert (user.name, user.role) == ("Ada", Role.LEAD)
    assert user.check_password("correct horse battery")


def test_a_user_without_password_is_for_single_sign_on():
    told("create_user", "ada@example.com", "--no-password")

    assert (User.objects.get().role, User.objects.get().has_usable_password()) == (
        Role.DEVELOPER,
        False,
    )


@pytest.mark.parametrize(
    ("email", "password", "error"),
    [
        ("nonsense", "correct horse battery", "valid email"),
        ("ada@example.com", "short", "too short"),
        ("ada@example.com", "", "too short"),
        ("taken@example.com", "correct horse battery", "signs in with this e-mail already"),
    ],
)
def test_what_cannot_be_is_said(monkeypatch, email, password, error):
    make_user(email="taken@example.com")
    typed(monkeypatch, password)

    with pytest.raises(CommandError, match=error):
        told("create_user", email)

    assert User.objects.count() == 1
