"""Blind calls: leads and developers alike see that they were made, and not who answered."""

import re
from datetime import timedelta

import pytest

from apps.pilots.blindness import COMPARED, SCREENED
from apps.usage.models import Call
from apps.usage.veil import TOLD, veiled
from tests.factories import (
    NOON,
    make_candidate,
    make_hosting,
    make_price,
    make_provider,
    make_rotation,
    make_trial,
)
from tests.usage.pages import get, shown, table

pytestmark = pytest.mark.usefixtures("clock")

TELLING = ("Zephyr", "zephyr", "Boreal", "boreal", "9,871", "9871", "1,234,567", "1234567", "4,321")
ATTEMPT = {"candidate_id": 0, "started_ms": 7, "ended_ms": 9871, "status": 599, "error": "boreal"}


def telling_in(text):
    """Everything telling in a page. Figures stand by themselves: tokens and ids are random."""
    return [word for word in TELLING if re.search(rf"(?<![0-9A-Za-z]){word}", text)]


@pytest.fixture
def blind(named):
    """A rotation of two, one of which is paid by the hour, and a call that tells a lot."""
    provider = make_provider(name="Boreal Cloud", slug="boreal")
    arm = make_candidate(provider=provider, name="Zephyr 9B", slug="zephyr-9b")
    make_trial(named.pilot, arm, alias="zephyr")
    make_price(arm, input_usd=3)
    other = make_trial(named.pilot).candidate
    make_hosting(other)
    named.rotation = make_rotation(named.pilot, arm, other)
    named.arm, named.other = arm, other
    return named


def tell(scene, **fields):
    """Store a blind call, whose every figure can be recognised."""
    call = scene.call(
        **{
            "candidate": scene.arm,
            "alias": "pilot-chat",
            "assigned_candidate_id": scene.other.id,
            "status": 599,
            "first_byte_ms": 4321,
            "first_content_ms": 4321,
            "total_ms": 9871,
            "prompt_tokens": 1234567,
            "completion_tokens": 9871,
            "usage_source": "estimated",
            "finish_reason": "boreal_stop",
            "error": "Boreal says no",
            "response_bytes": 1234567,
            "overhead_us": 4321000,
            "upstream_request_id": "boreal-1",
        }
        | fields
    )
    Call.objects.filter(id=call.id).update(attempts=[ATTEMPT | {"candidate_id": scene.arm.id}])
    return call


def pages(client, user, scene, call):
    found = [
        get(client, user, f"{scene.path}calls/"),
        client.get(f"{scene.path}calls/calls.csv"),
        client.get(f"{scene.path}calls/{call.id}/"),
    ]
    assert [page.status_code for page in found] == [200] * 3
    return [page.content.decode() for page in found]


@pytest.mark.parametrize("alias", ["pilot-chat", COMPARED])
@pytest.mark.parametrize("reader", ["developer", "lead"])
def test_no_page_and_no_export_tells_who_answered(client, blind, reader, alias):
    call = tell(blind, alias=alias)
    user = getattr(blind, reader)

    listed, exported, page = pages(client, user, blind, call)

    # A lead may narrow the list to a candidate, so their names stand in that menu.
    listed = listed.replace('<option value="zephyr-9b">Zephyr 9B</option>', "")
    for text in (listed, exported, page):
        assert alias in text
        assert telling_in(text) == []
    assert blind.other.name not in page + exported


def test_raters_find_no_name_of_those_who_take_turns_in_the_menu(client, blind):
    menu = get(client, blind.developer, f"{blind.path}calls/").context["form"]["candidate"]

    assert [value for value, _ in menu.field.choices] == ["", blind.candidate.slug]


def test_the_page_of_a_blind_call_says_what_the_caller_knows(client, blind):
    call = tell(blind, client="continue", session="s1", request_bytes=77)

    context = get(client, blind.developer, f"{blind.path}calls/{call.id}/").context

    assert context["facts"] == [
        ("Model name sent", "pilot-chat"),
        ("Endpoint", "/v1/chat/completions"),
        ("Streamed", "yes"),
        ("Request", "77 bytes"),
        ("Client", "continue"),
        ("Session", "s1"),
        ("Call id", str(call.id)),
    ]
    assert (context["segments"], context["cost_lines"], context["attempts"]) == ([], [], [])
    assert (context["price"], context["stood_in"]) == (None, "")


def test_a_row_of_the_export_says_no_more(client, blind):
    call = tell(blind)

    header, row = table(get(client, blind.developer, f"{blind.path}calls/calls.csv"))

    known = {name: value for name, value in zip(header, row, strict=True) if value}
    assert known == {
        "call": str(call.id),
        "admitted_at_utc": "2026-11-18 12:00:00.000",
        "model_sent": "pilot-chat",
        "blind": "yes",
        "task": "chat",
        "endpoint": "chat/completions",
        "outcome": "ok",
        "streamed": "yes",
    }


@pytest.mark.parametrize(
    "params",
    [
        {"candidate": "zephyr-9b"},
        {"only": "estimated"},
        {"only": "uncosted"},
        {"candidate": "zephyr-9b", "only": "rateable"},
    ],
)
@pytest.mark.parametrize("reader", ["developer", "lead"])
def test_filters_do_not_sort_blind_calls_by_who_answered(client, blind, reader, params):
    tell(blind, prompt_tokens=None)
    plain = blind.call(
        candidate=blind.arm, alias="zephyr", usage_source="estimated", prompt_tokens=None
    )

    found = shown(get(client, getattr(blind, reader), f"{blind.path}calls/", **params))

    told_apart = reader == "lead" or "candidate" not in params
    assert (plain.id in found, len(found)) == (True, 1 if told_apart else 2)


def test_filters_on_what_the_caller_saw_still_find_them(client, blind):
    call = tell(blind, outcome="stream_broken")
    tell(blind, at=NOON - timedelta(minutes=1), task="edit", rateable=False)

    for params in ({"outcome": "failed"}, {"task": "chat"}, {"only": "rateable"}):
        found = shown(get(client, blind.developer, f"{blind.path}calls/", **params))
        assert found == [call.id]


@pytest.mark.parametrize("known", ["unblinded_at", "closed_at"])
def test_once_everybody_may_know_all_is_shown(client, blind, known):
    call = tell(blind)
    setattr(blind.pilot, known, NOON)
    blind.pilot.save(update_fields=[known])

    *_, page = pages(client, blind.developer, blind, call)

    assert "Zephyr 9B" in page
    assert "Boreal Cloud" in page


def test_calls_of_a_screening_are_not_blind(client, blind):
    call = tell(blind, alias=SCREENED)

    assert all("Zephyr 9B" in page for page in pages(client, blind.developer, blind, call))


def test_an_alias_stays_blind_when_its_rotation_has_ended(client, blind):
    call = tell(blind)
    blind.rotation.ended_at = NOON
    blind.rotation.save(update_fields=["ended_at"])

    *_, page = pages(client, blind.developer, blind, call)

    assert "Zephyr" not in page


def test_of_a_call_with_the_veil_on_every_other_column_is_empty(named):
    call = named.call()

    left = veiled(call)

    empty = {None, 0, "", "none"}
    for field in Call._meta.fields:
        value = getattr(left, field.attname)
        if field.attname in TOLD:
            assert value == getattr(call, field.attname)
        else:
            assert value == [] or value in empty, field.attname


class TestConnect:
    def test_a_blind_name_stands_for_those_who_take_turns(self, client, blind):
        response = get(client, blind.developer, f"{blind.path}connect/")

        told = response.context["destinations"]
        assert [(each.alias, each.use, each.host) for each in told] == [
            ("pilot-chat", "Chat", ""),
            (blind.candidate.slug, "", blind.candidate.provider.name),
        ]
        assert told[0].sentence == "Your code leaves to another company"
        text = response.content.decode()
        assert telling_in(text) == []
        assert blind.other.name not in text

    @pytest.mark.parametrize("slug", ["continue", "python", "curl"])
    def test_settings_hold_the_blind_name_and_no_template(self, client, blind, slug):
        type(blind.arm).objects.update(fim_template="<zephyr>{prefix}<x>{suffix}<y>")
        make_rotation(blind.pilot, blind.arm, blind.other, role="completion")

        client.force_login(blind.developer)
        response = client.get(f"{blind.path}connect/", {"client": slug})

        texts = "".join(each.text for each in response.context["client"].snippets)
        assert "pilot-chat" in texts
        assert ("pilot-completion" in texts) == (slug == "continue")
        blind_part = texts.partition(blind.candidate.slug)[0]
        assert "zephyr" not in blind_part

    def test_it_says_what_keys_are_answered_after_the_end(self, client, blind):
        blind.pilot.closed_at = NOON
        blind.pilot.after_close = "winner"
        blind.pilot.after_candidate = blind.arm
        blind.pilot.save()

        text = get(client, blind.developer, f"{blind.path}connect/").content.decode()

        assert "All its model names are answered by one model until your key ends." in text
