"""Rating by a signed link: the page, the frame, and the script that puts the frame into pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.departures import deactivate, erase
from apps.feedback import pace
from apps.feedback.links import LASTS, make_token
from apps.feedback.models import Rating
from apps.pilots.models import RatingScale
from apps.usage.models import Call
from tests.factories import NOON, make_user
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import AT, make_world
from tests.feedback.rating_pages import pressed
from tests.feedback.ratings import standing

pytestmark = pytest.mark.usefixtures("clock")

PLACES = ("rate", "widget")
HTMX = {"HX-Request": "true"}
TOOLS = "https://tools.example.com"


def address(call, place="rate", now=NOON):
    return f"/{place}/{make_token(call, now=now)}/"


@pytest.mark.parametrize("place", PLACES)
def test_whoever_has_the_link_rates_as_its_person_without_signing_in(client, world, place):
    url = address(world.call(), place)

    shown = client.get(url).content.decode()
    rated = client.post(url, {"rating": "up"})
    then = client.get(url).content.decode()

    assert pressed(shown) == []
    assert (rated.status_code, rated["location"]) == (302, url)
    assert standing() == [(1, [], "", None)]
    assert (Rating.objects.get().person_id, Rating.objects.get().via) == (
        world.person.id,
        "widget" if place == "widget" else "link",
    )
    assert pressed(then) == ["up"]


@pytest.mark.parametrize("place", PLACES)
def test_reading_records_nothing(client, world, place):
    url = address(world.call(), place)

    codes = [
        client.get(url, {"rating": "up"}).status_code,
        client.head(url, {"rating": "up"}).status_code,
        client.put(url, {"rating": "up"}).status_code,
    ]

    assert codes == [200, 200, 405]
    assert standing() == []


@pytest.mark.parametrize("place", PLACES)
def test_no_cookie_is_set_and_none_is_read(client, world, place):
    other = make_user()
    client.force_login(other)
    url = address(world.call(), place)

    responses = [client.get(url), client.post(url, {"rating": "down"}), client.get(url)]

    assert [dict(response.cookies) for response in responses] == [{}, {}, {}]
    assert "csrfmiddlewaretoken" not in responses[0].content.decode()
    assert responses[0]["cache-control"].startswith("max-age=0, no-cache, no-store")
    assert Rating.objects.get().person_id == world.person.id


def test_a_reason_a_change_and_a_withdrawal_go_to_the_same_address(client, world):
    url = address(world.call())
    client.post(url, {"rating": "up"})
    client.post(url, {"reason": "on", "tags": ["clear"], "comment": "good"})
    assert standing() == [(1, ["clear"], "good", None)]

    told = client.get(url).content.decode()
    client.post(url, {"rating": "down"})
    history = client.get(url).content.decode()
    client.post(url, {"withdraw": "on"})
    again = client.post(url, {"withdraw": "on"})

    assert "What I said before" in told
    assert "Liked · clear" in history
    assert standing() == [(0, [], "", AT)]
    assert "There is no rating to withdraw." in again.content.decode()


def test_htmx_is_answered_with_the_widget_alone(client, world):
    call = world.call()

    html = client.post(address(call, "widget"), {"rating": "up"}, headers=HTMX).content.decode()

    assert html.lstrip().startswith(f'<div class="rating" id="rating-{call.id}" data-rating="up"')


def test_a_problem_is_told_on_the_page_itself(client, world):
    response = client.post(address(world.call()), {"rating": "sideways"})

    assert response.status_code == 200
    assert "Rate the answer with one of the buttons." in response.content.decode()
    assert standing() == []


@pytest.mark.parametrize("place", PLACES)
def test_a_link_that_is_no_more_says_so(client, world, place, monkeypatch):
    url = address(world.call(), place)

    changed = client.get(url.replace(".", "x."))
    assert "This link does not work" in changed.content.decode()
    monkeypatch.setattr(timezone, "now", lambda: NOON + LASTS)
    old = client.get(url)
    assert "This link is too old" in old.content.decode()

    posted = client.post(url, {"rating": "up"})
    assert [response.status_code for response in (changed, old, posted)] == [404, 410, 410]
    assert standing() == []


def leave(world):
    world.enrollment.left_at = NOON
    world.enrollment.save(update_fields=["left_at"])


def shut_out(world):
    deactivate(user=world.user, actor=None, now=NOON)


def be_erased(world):
    erase(person=world.person, actor=None, now=NOON)


def forget_the_call(world):
    Call.objects.all().delete()


@pytest.mark.parametrize("gone", [leave, shut_out, be_erased, forget_the_call])
def test_who_takes_no_part_any_more_rates_nothing(client, world, gone):
    url = address(world.call())
    gone(world)

    codes = [client.get(url).status_code, client.post(url, {"rating": "up"}).status_code]

    assert codes == [410, 410]
    assert standing() == []


def test_a_closed_pilot_takes_no_rating_and_gives_one_back(client, world):
    url = address(world.call())
    client.post(url, {"rating": "up"})
    world.pilot.closed_at = AT
    world.pilot.save(update_fields=["closed_at"])

    refused = client.post(url, {"rating": "down"})
    client.post(url, {"withdraw": "on"})

    assert "This pilot is closed; its ratings no longer change." in refused.content.decode()
    assert standing() == [(1, [], "", AT)]


def test_a_completion_has_no_buttons(client, world):
    url = address(world.call(rateable=False, task="autocomplete"))

    assert "rate-btn" not in client.get(url).content.decode()
    assert client.post(url, {"rating": "up"}).status_code == 200
    assert standing() == []


def test_stars_are_rated_where_the_pilot_has_stars(client, stars):
    client.post(address(stars.call(), "widget"), {"rating": "4"})

    assert standing() == [(4, [], "", None)]


def test_so_many_ratings_a_minute(client, world, monkeypatch):
    monkeypatch.setattr(pace, "PER_MINUTE", 1)
    url = address(world.call())

    client.post(url, {"rating": "up"})
    refused = client.post(url, {"rating": "down"})

    assert "That was very often; try again in 60 s." in refused.content.decode()
    assert standing() == [(1, [], "", None)]


@pytest.mark.parametrize("place", PLACES)
def test_a_blind_answer_tells_neither_who_answered_nor_how_fast(client, world, place):
    make_rotation(world.pilot, world.candidate)
    call = world.call(alias="pilot-chat", completion_tokens=1_240, total_ms=12_345)

    html = client.get(address(call, place)).content.decode()

    for secret in (world.candidate.name, world.candidate.provider.name, "1,240", "12.3"):
        assert secret not in html


def policy(response):
    found = dict(
        part.strip().partition(" ")[::2] for part in response["content-security-policy"].split(";")
    )
    return found["frame-ancestors"], response.get("x-frame-options")


@pytest.mark.parametrize(
    ("origins", "framed_by"),
    [
        ([], "'none'"),
        ([TOOLS], TOOLS),
        ([TOOLS, "http://localhost:8080"], f"{TOOLS} http://localhost:8080"),
    ],
)
def test_the_frame_stands_in_pages_of_the_pilots_origins_alone(client, db, origins, framed_by):
    world = make_world(widget_origins=origins)
    call = world.call()

    shown = client.get(address(call, "widget"))
    posted = client.post(address(call, "widget"), {"rating": "up"}, headers=HTMX)
    page = client.get(address(call, "rate"))
    refused = client.get("/widget/sample/")

    assert policy(shown) == policy(posted) == (framed_by, None)
    assert policy(page) == ("'none'", "DENY")
    assert policy(refused) == ("'none'", None)


@pytest.mark.parametrize(("asked", "theme"), [("dark", "dark"), ("light", "light"), ("<b>", "")])
def test_the_page_around_chooses_the_frames_theme(client, world, asked, theme):
    html = client.get(address(world.call(), "widget"), {"theme": asked}).content.decode()

    assert f'<html lang="en"{f" data-theme={theme!r}" if theme else ""}>' == html[
        html.index("<html") : html.index(">", html.index("<html")) + 1
    ].replace('"dark"', "'dark'").replace('"light"', "'light'")


def test_the_script_is_loaded_by_any_origin_and_kept_for_an_hour(client, db):
    first = client.get("/widget.js")
    again = client.get("/widget.js", headers={"If-None-Match": first["etag"]})
    changed = client.get("/widget.js", headers={"If-None-Match": '"other"'})

    assert first["content-type"] == "text/javascript; charset=utf-8"
    assert first["cache-control"] == "public, max-age=3600"
    assert first["cross-origin-resource-policy"] == "cross-origin"
    assert not first.has_header("vary")
    assert b"document.currentScript" in first.content
    assert (again.status_code, again.content, again["etag"]) == (304, b"", first["etag"])
    assert (changed.status_code, changed.content) == (200, first.content)
    assert client.post("/widget.js").status_code == 405


def test_a_rating_by_link_marks_its_quarter_like_any_other(client, world):
    from tests.feedback.ratings import dirty

    call = world.call(at=NOON - timedelta(minutes=10))
    dirty()

    client.post(address(call), {"rating": "up"})

    assert dirty() == [NOON - timedelta(minutes=15)]


def test_the_scale_is_the_pilots(client, stars):
    assert stars.pilot.rating_scale == RatingScale.STARS

    client.post(address(stars.call()), {"rating": "up"})

    assert standing() == []
