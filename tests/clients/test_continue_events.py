"""What Continue tells: built by its own schemas, about a chat that its own adapter had with us."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.keys import digest
from apps.feedback.ide_events import READERS, read_event
from apps.feedback.ide_joins import SETTLES, join_events
from apps.feedback.models import IdeEvent, Rating
from apps.gateway.contract import RouteTable
from apps.usage.aliases import Alias
from apps.usage.continue_settings import models_of
from apps.usage.ingest import drain
from apps.usage.models import Call
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_key,
    make_person,
    make_pilot,
    make_trial,
)
from tests.feedback.continue_events import DATA, MARKS, event, sent
from tests.gateway.live import until
from tests.gateway.rig import KEY
from tests.gateway.stand_ins import rotate

pytestmark = pytest.mark.xdist_group("node")

MODELS = {"pilot-chat": "theirs", "one": "theirs", "two": "theirs"}
ONE, TWO = 12, 13
TEMPLATES = {ONE: "<PRE>{prefix}<SUF>{suffix}<MID>", TWO: "[SUFFIX]{suffix}[PREFIX]{prefix}"}
STOPS = {ONE: ("<EOT>",), TWO: ("</s>",)}


def routes(table: RouteTable) -> RouteTable:
    """Two blind names with the same two candidates: today each begins with another one."""
    pilot = rotate(table.pilots[1], "turn-of-one", ONE, TWO)
    pilot = rotate(pilot, "turn-of-two", TWO, ONE)
    arms = {
        id_: replace(table.candidates[id_], fim_template=TEMPLATES[id_], fim_stops=STOPS[id_])
        for id_ in TEMPLATES
    }
    return replace(table, pilots=table.pilots | {1: pilot}, candidates=table.candidates | arms)


def parsed(node, *events):
    """Return events as Continue would send them."""
    return node.run("events.mjs", "parse", given=json.dumps(events))


def test_events_of_both_schemas_and_levels_are_read(bare_node):
    known = {(told["schema"], told["level"]): told["names"] for told in names_of(bare_node)}
    given = [
        # Older settings of completion, which later schemas leave out.
        event(name, schema=schema, level=level, useFileSuffix=True, completionOptions={})
        for (schema, level), names in known.items()
        for name in names
        if name in DATA
    ]

    read = [read_event(told) for told in parsed(bare_node, *given)]

    assert len(read) == 22
    assert {report.kind for report in read} == set(READERS)
    for report, told in zip(read, given, strict=True):
        assert (report.kind, report.schema) == (told["name"], told["schema"])
        assert report.is_accepted == read_event(told).is_accepted
        assert not [mark for mark in MARKS if mark in repr(report)]


def names_of(node):
    return node.run("events.mjs", "names")


@pytest.fixture
def world(db):
    """The gateway's pilot, person, key and candidate in the database as well."""
    today = timezone.now()
    pilot = make_pilot(
        id=1,
        starts_on=(today - timedelta(days=3)).date(),
        ends_on=(today + timedelta(days=3)).date(),
        created_at=today - timedelta(days=5),
    )
    trial = make_trial(pilot, make_candidate(id=11), alias="pilot-chat")
    enrollment = make_enrollment(pilot, make_person(id=31))
    expires_at = today + timedelta(days=9)
    make_key(
        enrollment, id=21, digest=digest(KEY), created_at=pilot.created_at, expires_at=expires_at
    )
    return trial


def chat(node, live, session):
    headers = {"X-PilotDash-Task": "chat", "X-PilotDash-Session": session}
    node.run("continue.mjs", "chatStream", model="pilot-chat", headers=headers)
    (record,) = live.calls_of(session, 1)
    return record


def is_joined():
    drain(now=timezone.now(), seconds=1)
    return join_events(now=timezone.now() + SETTLES) == 1


def test_the_thumbs_of_a_chat_arrive_as_its_rating(node, live, world, client):
    alias = Alias("pilot-chat", world.candidate.name)
    title = models_of(alias, node.base_url)[0]["name"]
    names = {"modelTitle": title, "modelName": title}
    chat(node, live, "before")
    record = chat(node, live, "thumbs")
    (told,) = parsed(
        node, event("chatFeedback", level="noCode", timestamp=None, feedback=False, **names)
    )

    response = sent(client, KEY, told)
    until(is_joined)

    assert (response.status_code, response.json()) == (202, {"status": "waiting"})
    rating = Rating.objects.get()
    assert (str(rating.call_id), rating.person_id, rating.candidate_id) == (record.id, 31, 11)
    assert (rating.score, rating.scale, rating.via) == (0, "thumbs", "continue")
    assert Call.objects.filter(session__in=["before", "thumbs"]).count() == 2
    assert IdeEvent.objects.get().call_id == rating.call_id


@pytest.mark.parametrize(("alias", "whose"), [("turn-of-one", ONE), ("turn-of-two", TWO)])
def test_a_blind_name_fills_in_by_the_template_of_whose_turn_it_is(node, live, alias, whose):
    (model,) = models_of(Alias(alias, "", serves=("fim/completions",), role="completion"), "")
    headers = model["requestOptions"]["headers"] | {"X-PilotDash-Session": alias}

    pieces = node.run(
        "continue.mjs", "fim", model=model["model"], provider=model["provider"], headers=headers
    )

    assert "".join(piece.get("content") or "" for piece in pieces) == "Grüße aus 东京"
    (record,) = live.calls_of(alias, 1)
    assert (record.candidate_id, record.endpoint, record.task) == (
        whose,
        "fim/completions",
        "autocomplete",
    )
    asked = json.loads(live.provider.seen[-1].body)
    prompt = TEMPLATES[whose].replace("{prefix}", "def f(").replace("{suffix}", "):\n")
    assert asked["prompt"] == prompt
    assert asked["stop"][0] == STOPS[whose][0]
    # Nothing in the settings tells one turn from another.
    assert "promptTemplates" not in model
