import pytest

from apps.accounts.models import Role
from apps.catalog.models import CandidateState, Residence
from apps.usage.connect import destination, known_clients
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_pilot,
    make_provider,
    make_trial,
    make_user,
)

pytestmark = pytest.mark.usefixtures("clock")


def get(browser, user, scene, page="", **params):
    browser.force_login(user)
    return browser.get(f"{scene.path}connect/{page}", params)


def arrived(client, user, scene):
    client.force_login(user)
    path = f"{scene.path}connect/arrived/"
    return client.get(path, headers={"HX-Request": "true"}).content.decode()


def make_own_key(scene, **fields):
    return make_key(scene.developer.person.enrollments.get(), **fields)


def test_who_may_open_the_page(client, named):
    path = f"{named.path}connect/"

    assert client.get(path).status_code == 302
    assert get(client, named.developer, named).status_code == 200
    assert get(client, named.lead, named).status_code == 200
    assert get(client, make_user(role=Role.VIEWER), named).status_code == 403
    assert get(client, make_user(), named).status_code == 404


def test_the_page_leads_from_a_key_to_the_first_call(client, named):
    start = arrived(client, named.developer, named)
    make_own_key(named)
    waiting = arrived(client, named.developer, named)
    call = named.call()
    live = arrived(client, named.developer, named)

    poll = f'hx-get="{named.path}connect/arrived/" hx-trigger="every 2s"'
    assert "Two steps to your first call" in start
    assert "Waiting for your first call" in waiting
    assert poll in start
    assert poll in waiting
    assert "is-good" in live
    assert "Connected." in live
    assert f'href="{named.path}calls/{call.id}/"' in live
    assert "hx-get" not in live


@pytest.mark.parametrize(
    "fields", [{"revoked_at": NOON}, {"expires_at": NOON}, {"kind": "internal"}]
)
def test_a_key_that_opens_nothing_is_no_step(client, named, fields):
    make_own_key(named, **fields)

    assert "Two steps to your first call" in arrived(client, named.developer, named)


def test_a_call_that_was_not_answered_says_so(client, named):
    named.call(outcome="upstream_error", status=500)

    line = arrived(client, named.developer, named)

    assert "Your call arrived, but was not answered: provider failed." in line
    assert "is-warn" in line


def test_calls_of_others_other_pilots_and_probes_connect_nobody(client, named):
    named.call(person=named.colleague().person)
    for source in ("probe", "ide", "compare", "imported"):
        named.call(source=source)
    elsewhere = make_pilot()
    make_enrollment(elsewhere, named.developer.person)

    assert "Connected" not in arrived(client, named.developer, named)


def test_without_htmx_the_line_is_the_page(client, named):
    response = get(client, named.developer, named, "arrived/")

    assert (response.status_code, response["Location"]) == (302, f"{named.path}connect/")


def test_a_lead_who_takes_part_learns_no_id_where_nobody_is_named(client, unnamed):
    make_enrollment(unnamed.pilot, unnamed.lead.person)
    call = unnamed.call(person=unnamed.lead.person)

    line = arrived(client, unnamed.lead, unnamed)

    assert "Connected." in line
    assert str(call.id) not in line


def test_the_page_holds_the_address_the_keys_and_the_settings(client, named, settings):
    settings.SITE_URL = "https://pilot.example"
    key, plain = make_own_key(named, name="laptop")

    response = get(client, named.developer, named, client="curl")

    html = response.content.decode()
    assert response.context["base_url"] == "https://pilot.example/v1"
    assert response.context["client"].slug == "curl"
    assert [(tab.label, tab.current) for tab in response.context["tabs"]] == [
        ("Continue", False),
        ("OpenAI SDK", False),
        ("curl", True),
    ]
    assert key.hint in html
    assert plain not in html
    assert "curl -N https://pilot.example/v1/chat/completions" in html


def test_a_client_that_nobody_knows_is_the_first(client, named):
    response = get(client, named.developer, named, client="emacs")

    assert response.context["client"].slug == "continue"


def test_nothing_on_trial_has_no_settings(client, named):
    named.pilot.trials.update(dropped_at=NOON)

    response = get(client, named.developer, named)

    assert (response.context["client"], response.context["tabs"]) == (None, [])
    assert "No model to call yet" in response.content.decode()


def test_onlookers_are_told_that_they_look_on(client, named):
    html = get(client, named.lead, named).content.decode()

    assert "you do not take part in this pilot" in html
    assert 'id="connection"' not in html


def test_a_pilot_that_is_over_says_so(client, named):
    named.pilot.closed_at = NOON
    named.pilot.save(update_fields=["closed_at"])

    assert "Keys of this pilot are not answered now" in (
        get(client, named.developer, named).content.decode()
    )


def test_what_leads_can_see_is_what_the_pilot_says(client, named, unnamed):
    told = get(client, named.developer, named).content.decode()
    hidden = get(client, unnamed.developer, unnamed).content.decode()

    assert "this pilot names people" in told
    assert "this pilot names nobody" in hidden


@pytest.mark.parametrize(
    ("residence", "region", "host", "sentence", "is_outside"),
    [
        (Residence.INSIDE, "", "Ours", "Your code stays on our own machines", False),
        (Residence.PRIVATE, "eu", "Ours, eu", "Your code goes to our own cloud account", False),
        (Residence.OUTSIDE, "", "Ours", "Your code leaves to another company", True),
    ],
)
def test_a_destination_says_where_code_goes(named, residence, region, host, sentence, is_outside):
    provider = make_provider(name="Ours", residence=residence, region=region)
    trial = make_trial(named.pilot, make_candidate(provider=provider, state="paused"))

    told = destination(trial)

    assert (told.host, told.sentence, told.is_outside) == (host, sentence, is_outside)
    assert told.is_paused


def test_settings_name_what_answers_first_and_leave_out_other_protocols(named):
    paused = make_trial(named.pilot, make_candidate(state=CandidateState.PAUSED), alias="a")
    active = make_trial(named.pilot, alias="b")
    foreign = make_candidate(provider=make_provider(driver="tgi"))
    other = make_trial(named.pilot, foreign, alias="c")

    settings = known_clients(named.pilot, [paused, active, other])[0].snippets[1].text

    assert [line for line in settings.splitlines() if line.startswith("  model:")] == [
        "  model: b",
        "  model: b",
        "  model: a",
        "  model: a",
    ]
    assert known_clients(named.pilot, [other]) == []


def test_what_a_provider_serves_decides_which_clients_are_offered(client, named):
    provider = named.candidate.provider
    provider.serves = ["messages", "messages/count_tokens"]
    provider.save(update_fields=["serves"])

    response = get(client, named.developer, named, client="curl")

    assert [tab.label for tab in response.context["tabs"]] == ["Claude Code"]
    assert response.context["client"].slug == "claude-code"


@pytest.mark.parametrize("trials", [1, 3])
def test_the_page_asks_the_same_queries_for_any_number_of_models_and_keys(
    client, named, trials, django_assert_num_queries
):
    for _ in range(trials):
        make_trial(named.pilot)
        make_own_key(named)
    get(client, named.developer, named)

    with django_assert_num_queries(14):
        response = client.get(f"{named.path}connect/")

    assert len(response.context["destinations"]) == trials + 1
