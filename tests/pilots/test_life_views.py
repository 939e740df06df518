"""Pages of a pilot's life: the balance, the log, turns, the end, incumbents."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from apps.pilots.incumbents import add_incumbent, days_of
from apps.pilots.models import Incumbent, Pilot, PilotEvent, Rotation
from apps.pilots.rotations import start_rotation
from tests.factories import make_candidate, make_enrollment, make_pilot, make_trial, make_user

pytestmark = pytest.mark.django_db
NAMES = ("Alpha", "Beta", "Gamma")


@pytest.fixture
def pilot():
    today = timezone.now().date()
    days = {"starts_on": today - timedelta(days=9), "ends_on": today + timedelta(days=20)}
    pilot = make_pilot(slug="first", name="First", **days)
    for name in NAMES:
        make_trial(pilot, make_candidate(name=name, slug=name.lower()))
    return pilot


@pytest.fixture
def rotation(pilot):
    ids = [trial.candidate_id for trial in pilot.trials.exclude(candidate__name="Gamma")]
    return start_rotation(pilot=pilot, role="chat", candidate_ids=ids, now=timezone.now())


@pytest.fixture
def sign_in(client):
    def enter(role, pilot=None):
        user = make_user(role, totp_exempt=True)
        if pilot is not None:
            make_enrollment(pilot, user.person)
        client.force_login(user)
        return user

    return enter


def main(response):
    page = unescape(response.content.decode())
    return page[page.index("<main") : page.index("</main>")]


def said(response):
    return [str(each) for each in response.context["messages"]]


def test_lead_sees_the_balance_and_never_the_arms(client, sign_in, pilot, rotation):
    for _ in range(5):
        make_enrollment(pilot)
    sign_in("lead")

    page = main(client.get("/pilots/first/rotation/"))

    assert re.findall(r"Arm \d", page) == ["Arm 1", "Arm 2"]
    assert [name for name in NAMES if name in page] == []
    assert rotation.seed not in page


def test_few_people_hide_the_arms(client, sign_in, pilot, rotation):
    make_enrollment(pilot)
    sign_in("lead")

    page = main(client.get("/pilots/first/rotation/"))

    assert "Fewer than five people have been given days." in page
    assert "Arm 1" not in page


def test_lead_unblinds_with_a_reason_and_the_word(client, sign_in, pilot, rotation):
    sign_in("lead")

    hasty = client.post("/pilots/first/rotation/unblind/", {"reason": "Leak"})
    pilot.refresh_from_db()
    assert (hasty.status_code, pilot.unblinded_at) == (200, None)
    told = {"reason": "Leak", "is_understood": "on"}
    done = client.post("/pilots/first/rotation/unblind/", told, follow=True)
    again = client.post("/pilots/first/rotation/unblind/", told)

    pilot.refresh_from_db()
    assert pilot.unblinded_at is not None
    assert said(done) == ["Unblinded. Everybody sees who has answered them."]
    assert again.context["form"].non_field_errors() == ["Everybody may know already."]


def test_lead_writes_the_log_and_developers_read_what_gives_nobody_away(
    client, sign_in, pilot, rotation
):
    alpha = pilot.trials.get(alias="alpha").candidate
    sign_in("lead")
    client.post("/pilots/first/log/", {"text": " vLLM\nupgraded "})
    client.post("/pilots/first/log/", {"text": "Moved", "candidate": alpha.id})
    tomorrow = timezone.localtime() + timedelta(days=1)
    early = client.post("/pilots/first/log/", {"text": "Later", "at": f"{tomorrow:%Y-%m-%dT%H:%M}"})
    lead_page = main(client.get("/pilots/first/log/"))
    sign_in("developer", pilot)
    developer_page = main(client.get("/pilots/first/log/"))

    assert early.context["form"].errors == {"at": ["That is still to come."]}
    assert [text in lead_page for text in ("vLLM upgraded", "Moved")] == [True, True]
    assert [text in developer_page for text in ("vLLM upgraded", "Moved")] == [True, False]
    assert [name for name in NAMES if name in developer_page] == []
    assert client.post("/pilots/first/log/", {"text": "Mine"}).status_code == 403


def test_leads_remove_their_own_events_and_administrators_any(client, sign_in, pilot):
    lead = sign_in("lead")
    client.post("/pilots/first/log/", {"text": "Typed"})
    event = PilotEvent.objects.get(text="Typed")
    path = f"/pilots/first/log/{event.id}/remove/"

    sign_in("lead")
    assert client.post(path).status_code == 404
    client.force_login(lead)
    assert said(client.post(path, follow=True)) == ["Removed from the log."]
    sign_in("admin")
    told = PilotEvent.objects.create(pilot=pilot, at=event.at, text="Told", is_automatic=True)
    answer = client.post(f"/pilots/first/log/{told.id}/remove/", follow=True)

    assert said(answer) == ["What the product itself has told stays."]


def test_administrator_begins_turns_adds_and_ends(client, sign_in, pilot):
    ids = {trial.alias: trial.candidate_id for trial in pilot.trials.all()}
    sign_in("admin")
    page = "/setup/pilots/first/turns/"

    one = client.post(page, {"role": "chat", "candidates": [ids["alpha"]]})
    begun = client.post(
        page, {"role": "chat", "candidates": [ids["alpha"], ids["beta"]]}, follow=True
    )
    joined = client.post(f"{page}pilot-chat/add/", {"candidate": "gamma"}, follow=True)
    twice = client.post(f"{page}pilot-chat/add/", {"candidate": "gamma"}, follow=True)
    ended = client.post(f"{page}pilot-chat/end/", follow=True)

    assert one.context["form"].errors == {
        "candidates": ["Choose two at least: one alone takes no turns."]
    }
    assert said(begun) == ["Turns are taken behind pilot-chat from today on."]
    assert re.match(r"Gamma takes turns from \w+day, \d\d \w+ on\.$", said(joined)[0])
    assert said(twice) == ["It takes turns already."]
    assert said(ended) == ["pilot-chat stands for nobody any more."]
    assert Rotation.objects.get().ended_at is not None


def test_candidates_that_disagree_are_refused_with_the_reasons(client, sign_in, pilot):
    alpha = pilot.trials.get(alias="alpha").candidate
    alpha.has_tools = False
    alpha.save(update_fields=["has_tools"])
    ids = [trial.candidate_id for trial in pilot.trials.all()]
    sign_in("admin")

    answer = client.post("/setup/pilots/first/turns/", {"role": "agent", "candidates": ids})

    assert answer.context["form"].errors == {
        "candidates": ["Alpha calls no tools, which agents need."]
    }


def test_closing_is_previewed_announced_told_on_pages_and_called_off(
    client, sign_in, pilot, rotation
):
    sign_in("admin", pilot)
    page = "/setup/pilots/first/close/"
    closes_at = (timezone.localtime() + timedelta(days=4)).replace(second=0, microsecond=0)
    told = {
        "when": "announced",
        "closes_at": f"{closes_at:%Y-%m-%dT%H:%M}",
        "after_close": "winner",
        "after_candidate": pilot.trials.get(alias="gamma").candidate_id,
    }

    seen = client.post(page, told | {"do": "preview"})
    assert [step.text for step in seen.context["steps"]] == [
        "A mail goes to 1 person who take part; a banner stands on their pages.",
        "The results are frozen: nothing that comes later changes them, but for ratings that "
        "people withdraw.",
        "Everybody sees who has answered their calls.",
        "Keys stay in force: Gamma answers to every model name, as the winner.",
    ]
    assert Pilot.objects.get(id=pilot.id).closes_at is None
    done = client.post(page, told | {"do": "close"}, follow=True)
    assert said(done) == ["Announced. Mails go out within a minute."]
    assert Pilot.objects.get(id=pilot.id).closes_at == closes_at
    for shown in ("connect", "rate"):
        banner = main(client.get(f"/pilots/first/{shown}/"))
        assert "First closes on" in banner
        assert "Your key and your settings go on working" in banner
    again = client.post(f"{page}call-off/", follow=True)
    assert said(again) == ["Called off; whoever had been told is told."]
    assert "First closes on" not in main(client.get("/pilots/first/connect/"))


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"closes_at": ""}, {"closes_at": ["Say when."]}),
        (
            {"closes_at": "2020-01-01T00:00"},
            {"closes_at": ["At least three days ahead: people are to be told in time."]},
        ),
        ({"after_close": "winner"}, {"after_candidate": ["Say who answers."]}),
        ({"when": "at_once"}, {"reason": ["It takes one: people were promised three days."]}),
    ],
)
def test_closing_that_does_not_do_is_refused_on_the_page(client, sign_in, pilot, fields, errors):
    sign_in("admin")
    then = timezone.localtime() + timedelta(days=9)
    told = {"when": "announced", "closes_at": f"{then:%Y-%m-%dT%H:%M}", "after_close": "gone"}

    answer = client.post("/setup/pilots/first/close/", told | fields | {"do": "close"})

    assert answer.context["form"].errors == errors
    pilot.refresh_from_db()
    assert (pilot.closes_at, pilot.closed_at) == (None, None)


def test_draft_is_given_up_without_a_reason(client, sign_in):
    draft = make_pilot(slug="draft", started_at=None)
    sign_in("admin")

    seen = client.post("/setup/pilots/draft/close/", {"do": "preview"})
    client.post("/setup/pilots/draft/close/", {"do": "close"})

    assert [step.text for step in seen.context["steps"]][-1] == "Its keys never opened anything."
    draft.refresh_from_db()
    assert draft.closed_at is not None


def test_incumbent_is_added_and_its_days_typed_and_imported(client, sign_in, pilot):
    sign_in("admin")
    page = "/setup/pilots/first/incumbents/"
    told = {"name": "Copilot", "seats": "30", "usd_per_seat_month": "19"}

    added = client.post(page, told, follow=True)
    incumbent = Incumbent.objects.get()
    own = f"{page}{incumbent.id}/"
    day = f"{pilot.starts_on}"
    typed = client.post(f"{own}day/", {"day": day, "shown": "100", "accepted": "20"}, follow=True)
    too_many = client.post(f"{own}day/", {"day": day, "shown": "1", "accepted": "2"})
    file = SimpleUploadedFile("days.csv", f"day,shown,accepted\n{day},200,50\n".encode())
    stored = client.post(f"{own}import/", {"file": file}, follow=True)
    wrong = client.post(f"{own}import/", {"text": "day,shown\n2026-11-18,x"})

    assert said(added) == ["Copilot is there. Type or import its days."]
    assert said(typed) == [f"{day} is stored."]
    assert too_many.context["day_form"].errors == {"accepted": ["More than were shown."]}
    assert said(stored) == ["1 days are stored."]
    assert wrong.context["import_form"].non_field_errors() == [
        "Line 2: “x” is no count under shown."
    ]
    assert [(each.shown, each.accepted, each.source) for each in days_of(incumbent)] == [
        (200, 50, "csv")
    ]
    rows = client.get(page).context["rows"]
    assert [(row.incumbent, str(row.acceptance), row.days) for row in rows] == [
        (incumbent, "0.25", 1)
    ]
    assert "not blind" in main(client.get(page))


@pytest.mark.parametrize("count", [1, 3])
def test_pages_take_the_same_queries_for_any_number(
    client, sign_in, pilot, count, django_assert_num_queries
):
    now = timezone.now()
    for number in range(count):
        add_incumbent(pilot=pilot, name=f"T{number}", seats=1, usd_per_seat_month=1, now=now)
        PilotEvent.objects.create(pilot=pilot, at=now, text="X", actor=make_user().person)
    sign_in("admin")

    with django_assert_num_queries(7):
        client.get("/setup/pilots/first/incumbents/")
    with django_assert_num_queries(6):
        client.get("/pilots/first/log/")


def test_incumbent_is_removed(client, sign_in, pilot):
    incumbent = add_incumbent(
        pilot=pilot, name="Copilot", seats=1, usd_per_seat_month=1, now=timezone.now()
    )
    sign_in("admin")
    path = f"/setup/pilots/first/incumbents/{incumbent.id}/"

    answer = client.post(f"{path}remove/", follow=True)

    assert said(answer) == ["Copilot is removed."]
    assert client.get(path).status_code == 404
