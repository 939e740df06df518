import pytest

from apps.accounts.actions import accept_invitation, create_user, invite
from apps.accounts.departures import change_role, delete_person, erase
from apps.accounts.models import Role
from apps.metrics.seeing import seeing_people
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db
SEEING = [Role.ADMIN, Role.LEAD, Role.VIEWER]


def added(role):
    return create_user(email=f"{role}@a.example", name="", role=role, password=None, now=NOON)


@pytest.mark.parametrize("role", SEEING)
def test_whoever_may_see_aggregates_sees_results(role):
    make_user(Role.DEVELOPER)
    user = make_user(role)

    assert seeing_people() == {user.person_id}


@pytest.mark.parametrize("role", SEEING)
def test_whoever_is_deleted_has_seen_results_all_the_same(role):
    make_user(Role.ADMIN)
    user, other = added(role), added(Role.DEVELOPER)
    before = seeing_people()

    delete_person(user=user, actor=None, now=NOON)
    delete_person(user=other, actor=None, now=NOON)

    assert user.person_id in before
    assert seeing_people() == before


@pytest.mark.parametrize("roles", [(Role.LEAD, Role.DEVELOPER), (Role.DEVELOPER, Role.VIEWER)])
def test_a_role_that_was_changed_counts_before_and_after(roles):
    user = added(roles[0])
    change_role(user=user, role=roles[1], actor=None, now=NOON)
    delete_person(user=user, actor=None, now=NOON)

    assert seeing_people() == {user.person_id}


def test_whoever_is_erased_is_known_by_the_invitation():
    """An erased person has another pseudonym, which the trail does not know."""
    make_user(Role.DEVELOPER)
    users = []
    for role in (Role.LEAD, Role.DEVELOPER):
        email = f"{role}@a.example"
        _, token = invite(email=email, role=role, invited_by=None, now=NOON)
        users.append(accept_invitation(token=token, email=email, name="", password=None, now=NOON))
    lead, developer = (user.person for user in users)

    erase(person=lead, actor=None, now=NOON)
    erase(person=developer, actor=None, now=NOON)

    assert seeing_people() == {lead.id}


def test_an_invitation_that_nobody_took_shows_nothing():
    invite(email="lead@a.example", role=Role.LEAD, invited_by=None, now=NOON)

    assert seeing_people() == set()
