import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.periods import DAY
from tests.factories import make_pilot, make_user


@pytest.fixture
def pilot():
    """Ten days in, eighteen to go."""
    today = timezone.now().date()
    return make_pilot(
        slug="team", name="Team pilot", starts_on=today - 9 * DAY, ends_on=today + 18 * DAY
    )


@pytest.fixture
def lead(client):
    user = make_user(Role.LEAD)
    client.force_login(user)
    return user
