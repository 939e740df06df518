"""What stands once turns have begun, and who is left out of them."""

from datetime import date, timedelta

import pytest

from apps.pilots.models import Pilot, RotationEra
from apps.pilots.plans import FirstDayStands, ZoneStands, change_basics
from apps.pilots.rotations import end_rotation, start_rotation
from tests.factories import NOON, make_pilot, make_rotation, make_trial, make_user
from tests.pilots.arms import arm

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TODAY = NOON.date()


def pilot_of(*arms, **fields):
    pilot = make_pilot(slug="first", **fields)
    ids = [make_trial(pilot, each).candidate_id for each in arms]
    rotation = start_rotation(pilot=pilot, role="chat", candidate_ids=ids, now=NOON)
    return pilot, rotation


def moved(pilot, now=NOON, **fields):
    names = ("name", "starts_on", "ends_on", "zone", "budget_usd")
    told = {name: getattr(pilot, name) for name in names}
    return change_basics(pilot=pilot, now=now, **told | fields)


@pytest.mark.parametrize("is_over", [False, True])
def test_zone_and_first_day_stand_once_turns_have_begun(is_over):
    pilot, rotation = pilot_of(arm(), arm())
    if is_over:
        end_rotation(rotation=rotation, now=NOON)

    with pytest.raises(ZoneStands):
        moved(pilot, zone="Asia/Tokyo")
    for other in (pilot.starts_on - DAY, TODAY + DAY):
        with pytest.raises(FirstDayStands):
            moved(pilot, starts_on=other)
    moved(pilot, name="Second", ends_on=pilot.ends_on + DAY)

    told = Pilot.objects.values_list("name", "zone", "starts_on").get()
    assert told == ("Second", "UTC", date(2026, 11, 2))


@pytest.mark.parametrize(
    ("fields", "first_day"),
    [
        # The first hours of a day belong to the one before, those of a Monday to Friday.
        ({"starts_on": date(2026, 12, 2)}, date(2026, 12, 1)),
        ({"starts_on": date(2026, 11, 30)}, date(2026, 11, 27)),
        ({"starts_on": date(2026, 11, 10)}, TODAY),
        ({"zone": "Etc/GMT-14", "starts_on": date(2026, 11, 21)}, date(2026, 11, 20)),
    ],
)
def test_turns_that_have_not_begun_begin_with_the_first_day_that_is_moved(fields, first_day):
    pilot, _ = pilot_of(arm(), arm(), starts_on=date(2026, 11, 24), ends_on=date(2026, 12, 20))

    moved(pilot, **fields)

    assert RotationEra.objects.get().first_day == first_day


def test_turns_remember_where_people_were_told_that_code_goes():
    _, rotation = pilot_of(arm(residence="private"), arm(residence="private"))

    assert rotation.residence == "private"


def test_page_of_turns_says_who_answers_nobody_since_code_would_go_elsewhere(client):
    one, two = arm(name="Alpha", residence="inside"), arm(name="Beta", residence="inside")
    pilot_of(one, two)
    one.provider.residence = "outside"
    one.provider.save()
    client.force_login(make_user("admin", totp_exempt=True))

    page = client.get("/setup/pilots/first/turns/")

    assert [each.name for each in page.context["turns"][0].left_out] == ["Alpha"]
    assert "Alpha answers nobody" in page.content.decode()


def test_page_of_turns_says_nothing_of_arms_that_agree(client):
    make_rotation(make_pilot(slug="first"), arm(residence="inside"), arm(residence="inside"))
    client.force_login(make_user("admin", totp_exempt=True))

    assert client.get("/setup/pilots/first/turns/").context["turns"][0].left_out == []
