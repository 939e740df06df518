import threading

import pytest
from django.db import connection

from apps.accounts import actions, departures
from apps.accounts.models import AuditEntry, Invitation, Person, Role, User
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db

LEAVING = ["demote", "deactivate", "delete", "erase"]


@pytest.fixture
def told(monkeypatch):
    """What the apps above are told, in order."""
    heard = []
    for name in ("_departure_listeners", "_erasure_listeners"):
        monkeypatch.setattr(departures, name, [])
    departures.on_departure(lambda person, now: heard.append(("departure", person.id, now)))
    departures.on_erasure(lambda person, now: heard.append(("erasure", person.id, now)))
    return heard


def leave(user, how):
    if how == "demote":
        departures.change_role(user=user, role=Role.LEAD, actor=None, now=NOON)
    elif how == "deactivate":
        departures.deactivate(user=user, actor=None, now=NOON)
    elif how == "delete":
        departures.delete_person(user=user, actor=None, now=NOON)
    else:
        departures.erase(person=user.person, actor=None, now=NOON)


def administrators():
    return list(actions.active_administrators().order_by("id"))


@pytest.mark.parametrize("how", LEAVING)
def test_the_last_administrator_stays(how, told):
    last = make_user(Role.ADMIN)
    make_user(Role.ADMIN, is_active=False)

    with pytest.raises(departures.LastAdministrator):
        leave(last, how)

    assert administrators() == [last]
    assert (told, AuditEntry.objects.count()) == ([], 0)


@pytest.mark.parametrize("how", LEAVING)
def test_one_of_two_administrators_may_go(how, told):
    going, staying = make_user(Role.ADMIN), make_user(Role.ADMIN)

    leave(going, how)

    assert administrators() == [staying]


def test_the_last_administrator_may_be_made_administrator_again():
    last = make_user(Role.ADMIN)

    departures.change_role(user=last, role=Role.ADMIN, actor=None, now=NOON)

    assert administrators() == [last]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_demote_each_other_at_once():
    both = [make_user(Role.ADMIN), make_user(Role.ADMIN)]
    start, refused = threading.Barrier(2, timeout=10), []

    def demote(user):
        try:
            start.wait()
            departures.change_role(user=user, role=Role.LEAD, actor=None, now=NOON)
        except departures.LastAdministrator:
            refused.append(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=[user]) for user in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert administrators() == refused
    assert len(refused) == 1


def test_a_change_of_role_stands_in_the_trail_with_both_roles():
    lead, admin = make_user(Role.LEAD), make_user(Role.ADMIN)

    departures.change_role(user=lead, role="viewer", actor=admin.person, now=NOON)

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.subject, entry.detail) == (
        admin.person,
        "role changed",
        f"person {lead.person.pseudonym}",
        {"role": ["lead", "viewer"]},
    )
    assert User.objects.get(id=lead.id).role == Role.VIEWER


def test_deactivating_tells_the_apps_above_and_reactivating_does_not(told):
    user = make_user()

    departures.deactivate(user=user, actor=None, now=NOON)
    assert not User.objects.get().is_active
    departures.reactivate(user=user, actor=None, now=NOON)

    assert User.objects.get().is_active
    assert told == [("departure", user.person_id, NOON)]


@pytest.mark.parametrize("how", ["reactivate", "sign out"])
def test_sessions_of_before_do_not_match_any_more(how):
    user = make_user()
    before = user.get_session_auth_hash()

    if how == "reactivate":
        departures.reactivate(user=user, actor=None, now=NOON)
    else:
        departures.sign_out_everywhere(user=user, actor=None, now=NOON)

    assert user.get_session_auth_hash() == User.objects.get().get_session_auth_hash() != before


def test_sessions_do_not_match_after_a_change_of_password():
    user = make_user()
    before = user.get_session_auth_hash()

    user.set_password("another horse, another battery")

    assert user.get_session_auth_hash() != before


def test_deleting_keeps_the_pseudonym_and_no_name(told):
    _, token = actions.invite(email="new@example.com", role="lead", invited_by=None, now=NOON)
    user = actions.accept_invitation(
        token=token, email="", name="New One", password="x" * 12, now=NOON
    )
    person = user.person

    departures.delete_person(user=user, actor=None, now=NOON)

    assert list(Person.objects.all()) == [person]
    assert User.objects.count() == 0
    assert list(Invitation.objects.values_list("email", flat=True)) == [""]
    assert Person.objects.get().erased_at is None
    assert told == [("departure", person.id, NOON)]
    assert not any("new@example.com" in str(row) for row in AuditEntry.objects.values())


def test_an_open_invitation_dies_with_its_person(told):
    invitation, token = actions.invite(
        email="new@example.com", role="lead", invited_by=None, now=NOON
    )

    departures.erase(person=invitation.person, actor=None, now=NOON)

    with pytest.raises(actions.InvitationNotOpen):
        actions.accept_invitation(
            token=token, email="x@example.com", name="", password="", now=NOON
        )


def test_a_deleted_address_invited_again_is_another_person():
    first, token = actions.invite(email="new@example.com", role="lead", invited_by=None, now=NOON)
    user = actions.accept_invitation(token=token, email="", name="", password="x", now=NOON)
    departures.delete_person(user=user, actor=None, now=NOON)

    second, _ = actions.invite(email="new@example.com", role="lead", invited_by=None, now=NOON)

    assert second.person != first.person


def test_erasing_tells_departure_first_and_marks_the_person(told):
    user = make_user()
    pseudonym = user.person.pseudonym

    departures.erase(person=user.person, actor=None, now=NOON)

    assert Person.objects.get().pseudonym != pseudonym
    assert told == [("departure", user.person_id, NOON), ("erasure", user.person_id, NOON)]
    assert (User.objects.count(), Person.objects.get().erased_at) == (0, NOON)


def test_a_listener_that_fails_keeps_the_person(told):
    user = make_user()

    def fail(person, now):
        raise RuntimeError

    departures.on_erasure(fail)
    with pytest.raises(RuntimeError):
        departures.erase(person=user.person, actor=None, now=NOON)

    assert User.objects.get() == user
