from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.accounts import actions
from apps.accounts.models import AuditEntry, Invitation, Person, Role, User
from apps.core.keys import digest
from tests.factories import NOON, PASSWORD, make_person, make_user

pytestmark = pytest.mark.django_db


def trail():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def invite(email="new@example.com", role=Role.DEVELOPER, now=NOON):
    return actions.invite(email=email, role=role, invited_by=None, now=now)


def accept(token, now=NOON, email="", password=PASSWORD):
    return actions.accept_invitation(
        token=token, email=email, name="New One", password=password, now=now
    )


def test_a_pseudonym_that_is_taken_is_drawn_again(monkeypatch):
    make_person(pseudonym="calm-auk-100")
    draws = iter(["calm-auk-100", "calm-auk-101"])
    monkeypatch.setattr(actions, "new_pseudonym", lambda: next(draws))

    person = actions.create_person(now=NOON)

    assert person.pseudonym == "calm-auk-101"


def test_a_user_is_made_with_a_person_of_their_own_and_an_address_in_lower_case():
    user = actions.create_user(
        email=" Ada@Example.COM ", name=" Ada ", role="lead", password=PASSWORD, now=NOON
    )

    stored = User.objects.get()
    assert stored == user
    assert (stored.email, stored.name, stored.role) == ("ada@example.com", "Ada", Role.LEAD)
    assert stored.check_password(PASSWORD)
    assert (stored.date_joined, stored.totp_exempt) == (NOON, False)
    assert Person.objects.get() == stored.person
    assert trail() == ["user added"]


def test_a_user_without_password_cannot_sign_in_with_any():
    user = actions.create_user(email="a@example.com", name="", role="lead", password=None, now=NOON)

    assert not user.has_usable_password()


def test_an_address_is_taken_once_however_it_is_written():
    make_user(email="ada@example.com")

    with pytest.raises(actions.EmailTaken):
        actions.create_user(
            email="ADA@example.com", name="", role="lead", password=PASSWORD, now=NOON
        )

    assert User.objects.count() == 1


def test_the_database_refuses_a_second_spelling_of_an_address():
    make_user(email="ada@example.com")

    with pytest.raises(IntegrityError, match="user_email_is_unique"), transaction.atomic():
        make_user(email="Ada@example.com")


def test_the_database_refuses_an_unknown_role():
    with pytest.raises(IntegrityError, match="user_role_is_known"):
        make_user(role="owner")


def test_the_database_refuses_an_invitation_that_expires_before_it_begins():
    with pytest.raises(IntegrityError, match="invitation_expires_after_creation"):
        Invitation.objects.create(
            digest="x", role=Role.LEAD, person=make_person(), created_at=NOON, expires_at=NOON
        )


def test_only_the_digest_of_an_invitation_is_stored():
    invitation, token = invite("New@Example.com", Role.LEAD)

    assert Invitation.objects.get() == invitation
    assert invitation.digest == digest(token)
    assert (invitation.email, invitation.role) == ("new@example.com", Role.LEAD)
    assert invitation.expires_at == NOON + timedelta(days=14)
    assert len(token) == 43
    assert token not in str(list(Invitation.objects.values()))


def test_somebody_who_signs_in_already_is_not_invited():
    make_user(email="ada@example.com")

    with pytest.raises(actions.EmailTaken):
        invite("Ada@example.com")


def test_inviting_again_replaces_the_link_and_keeps_the_person():
    first, old_token = invite()
    second, new_token = invite(role=Role.LEAD)

    assert second.person == first.person
    with pytest.raises(actions.InvitationNotOpen):
        accept(old_token)
    assert accept(new_token).role == Role.LEAD
    assert Person.objects.count() == 1


def test_accepting_makes_the_invited_person_a_user():
    invitation, token = invite(role=Role.VIEWER)

    user = accept(token, now=NOON + timedelta(days=13), email="other@example.com")

    assert (user.email, user.role, user.person) == (
        "new@example.com",
        Role.VIEWER,
        invitation.person,
    )
    assert user.check_password(PASSWORD)
    invitation.refresh_from_db()
    assert invitation.accepted_at == NOON + timedelta(days=13)
    assert trail() == ["person invited", "user added"]


@pytest.mark.parametrize("what", ["unknown", "used", "revoked", "too old"])
def test_a_closed_invitation_makes_nobody(what):
    invitation, token = invite()
    if what == "used":
        accept(token)
    elif what == "revoked":
        actions.revoke_invitation(invitation=invitation, actor=None, now=NOON)
    users = User.objects.count()

    with pytest.raises(actions.InvitationNotOpen):
        accept(
            "unknown" if what == "unknown" else token,
            now=NOON + timedelta(days=14) if what == "too old" else NOON,
        )

    assert User.objects.count() == users


def test_an_address_taken_in_the_meantime_leaves_the_invitation_open():
    invitation, token = invite()
    make_user(email="new@example.com")

    with pytest.raises(actions.EmailTaken):
        accept(token)

    invitation.refresh_from_db()
    assert invitation.is_open(at=NOON)


def test_an_invitation_is_revoked_once():
    invitation, _ = invite()
    actions.revoke_invitation(invitation=invitation, actor=None, now=NOON)

    with pytest.raises(actions.InvitationNotOpen):
        actions.revoke_invitation(invitation=invitation, actor=None, now=NOON)

    assert trail() == ["person invited", "invitation revoked"]


def test_the_first_administrator_types_an_address():
    token = actions.invite_first_administrator(now=NOON)

    user = accept(token, email="root@example.com")

    assert (user.email, user.role) == ("root@example.com", Role.ADMIN)


def test_there_is_no_first_administrator_link_where_one_is_active():
    make_user(Role.ADMIN)

    assert actions.invite_first_administrator(now=NOON) is None


def test_there_is_one_again_when_every_administrator_is_deactivated():
    make_user(Role.ADMIN, is_active=False)

    assert actions.invite_first_administrator(now=NOON) is not None


def test_a_fresh_link_for_the_first_administrator_revokes_the_older_one():
    old = actions.invite_first_administrator(now=NOON)
    new = actions.invite_first_administrator(now=NOON)

    with pytest.raises(actions.InvitationNotOpen):
        accept(old, email="root@example.com")
    assert accept(new, email="root@example.com").role == Role.ADMIN
    assert Person.objects.count() == 1


def test_the_link_is_useless_once_somebody_else_administers():
    token = actions.invite_first_administrator(now=NOON)
    make_user(Role.ADMIN)

    with pytest.raises(actions.InvitationNotOpen):
        accept(token, email="root@example.com")


@pytest.mark.parametrize(
    ("invited_as", "claimed", "role"),
    [
        (None, None, Role.DEVELOPER),
        (None, Role.LEAD, Role.LEAD),
        (Role.VIEWER, None, Role.VIEWER),
        (Role.VIEWER, Role.ADMIN, Role.ADMIN),
    ],
)
def test_single_sign_on_uses_the_open_invitation(invited_as, claimed, role):
    invitation = invite(role=invited_as)[0] if invited_as else None

    user = actions.join_by_single_sign_on(
        email="New@example.com", name="New", role=claimed, now=NOON
    )

    assert (user.role, user.has_usable_password()) == (role, False)
    if invitation:
        invitation.refresh_from_db()
        assert (user.person, invitation.accepted_at) == (invitation.person, NOON)


def test_renaming_strips_blanks():
    user = make_user()

    actions.rename(user=user, name=" Grace ")

    assert User.objects.get().name == "Grace"
