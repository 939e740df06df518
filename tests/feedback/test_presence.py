"""Who takes part: nobody who left, was shut out, deleted or erased."""

import pytest

from apps.accounts.departures import deactivate, delete_person, erase
from apps.feedback.presence import taking_part
from tests.factories import NOON


@pytest.mark.parametrize("how", ["left", "deactivated", "deleted", "erased"])
def test_who_is_gone_takes_no_part(world, how):
    stays = world.colleague().person
    assert set(taking_part().values_list("person", flat=True)) == {world.person.id, stays.id}
    if how == "left":
        world.enrollment.left_at = NOON
        world.enrollment.save(update_fields=["left_at"])
    elif how == "deactivated":
        deactivate(user=world.user, actor=None, now=NOON)
    elif how == "deleted":
        delete_person(user=world.user, actor=None, now=NOON)
    else:
        erase(person=world.person, actor=None, now=NOON)

    assert list(taking_part().values_list("person", flat=True)) == [stays.id]
