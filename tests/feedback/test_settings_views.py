import pytest

from apps.accounts.models import Role
from apps.pilots.models import Pilot
from tests.factories import NOON, make_pilot, make_user


@pytest.fixture
def admin(client, db):
    client.force_login(make_user(Role.ADMIN, totp_exempt=True))
    return client


def url(pilot):
    return f"/setup/pilots/{pilot.slug}/ratings/"


def test_what_stands_is_shown_one_a_line(admin):
    pilot = make_pilot(rating_tags=["fast", "right"], widget_origins=["https://a.example"])

    html = admin.get(url(pilot)).content.decode()

    assert "fast\nright</textarea>" in html
    assert "https://a.example</textarea>" in html


def test_saving_replaces_both(admin):
    pilot = make_pilot(rating_tags=["fast"])

    response = admin.post(
        url(pilot), {"rating_tags": "Right\r\n\r\nwrong", "widget_origins": "http://localhost:8080"}
    )

    assert (response.status_code, response["location"]) == (302, url(pilot))
    found = Pilot.objects.get(id=pilot.id)
    assert (found.rating_tags, found.widget_origins) == (
        ["right", "wrong"],
        ["http://localhost:8080"],
    )


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"rating_tags": "<b>"}, "A tag is 1 to 40 letters"),
        ({"widget_origins": "wiki"}, "“wiki” is no origin"),
    ],
)
def test_what_is_malformed_is_told_beside_its_field(admin, sent, sentence):
    pilot = make_pilot()

    html = admin.post(url(pilot), sent).content.decode()

    assert sentence in html


def test_a_closed_pilot_says_so(admin):
    html = admin.post(url(make_pilot(closed_at=NOON)), {}).content.decode()

    assert "This pilot is closed; nothing in it changes any more." in html
