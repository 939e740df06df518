import pytest

from apps.accounts import departures
from apps.accounts.models import Person
from apps.changes.models import RoutesVersion
from apps.pilots.models import Key
from tests.factories import NOON, make_enrollment, make_key, make_person, make_pilot, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def keys(user):
    """Two of the user's, one of them revoked before, and one of somebody else."""
    pilot = make_pilot()
    own, other = make_enrollment(pilot, user.person), make_enrollment(pilot, make_person())
    make_key(own, name="Ada's laptop")
    make_key(own, revoked_at=NOON.replace(hour=1))
    make_key(other, name="mine")


def state():
    return list(Key.objects.order_by("id").values_list("name", "revoked_at"))


@pytest.mark.parametrize("how", ["deactivate", "delete"])
def test_keys_of_who_is_shut_out_die_at_once_and_the_routes_say_so(user, keys, how):
    if how == "deactivate":
        departures.deactivate(user=user, actor=None, now=NOON)
    else:
        departures.delete_person(user=user, actor=None, now=NOON)

    assert state() == [("Ada's laptop", NOON), ("", NOON.replace(hour=1)), ("mine", None)]
    assert RoutesVersion.objects.get().version == 1


def test_erasing_also_forgets_what_keys_were_called(user, keys):
    before = user.person.pseudonym

    departures.erase(person=user.person, actor=None, now=NOON)

    assert state() == [("", NOON), ("", NOON.replace(hour=1)), ("mine", None)]
    assert not Person.objects.filter(pseudonym=before).exists()


def test_who_has_no_keys_changes_no_routes(user):
    departures.deactivate(user=user, actor=None, now=NOON)

    assert RoutesVersion.objects.count() == 0
