"""`/ingest/continue`: what it answers, how fast, and that code stays nowhere."""

import json
import logging
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from apps.feedback import ide_api
from apps.feedback.models import IdeEvent
from apps.usage.models import Call
from tests.factories import make_candidate, make_enrollment, make_key, make_pilot, make_trial
from tests.feedback.asking import error
from tests.feedback.conftest import AT
from tests.feedback.continue_events import DATA, MARKS, URL, event, sent

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def tell(client, world):
    def tell(body, *, key=None, **headers):
        return sent(client, key or world.plain_key, body, **headers)

    return tell


def answer(response):
    return response.status_code, response.json()["status"]


@pytest.mark.parametrize("schema", ["0.1.0", "0.2.0"])
@pytest.mark.parametrize("level", ["all", "noCode"])
@pytest.mark.parametrize("name", DATA)
def test_every_event_is_taken(tell, name, schema, level):
    expected = (202, "waiting") if name == "chatFeedback" else (200, "stored")

    response = tell(event(name, schema=schema, level=level))
    again = tell(event(name, schema=schema, level=level))

    assert answer(response) == expected
    assert answer(again) == (200, "known")
    row = IdeEvent.objects.get()
    assert (row.kind, row.schema, row.received_at) == (name, schema, AT)


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_the_key_may_come_in_another_header(tell, world, header):
    assert answer(tell(event("toolUsage"), **{header: world.plain_key})) == (200, "stored")


def test_unknown_names_and_schemas_are_counted_and_not_stored(tell, world):
    statuses = [
        answer(tell(event("nextEditWithHistory"))),
        answer(tell(event("quickEdit", schema="0.1.0"))),
        answer(tell(event("autocomplete", schema="1.0.0"))),
    ]

    assert statuses == [(200, "ignored")] * 3
    assert not IdeEvent.objects.exists()
    assert cache.get(ide_api.ignored_name(world.pilot.id, AT)) == 3


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "invalid_json", None),
        (b"[]", "invalid_json", None),
        (b'{"name": NaN}', "invalid_json", None),
        (b'{"name": "autocomplete", "name": "autocomplete"}', "invalid_json", None),
        (b'{"data": ' + b"[" * 100 + b"]" * 100 + b"}", "invalid_json", None),
        ({}, "invalid_event", "name"),
        (event("autocomplete", accepted="yes"), "invalid_event", "data.accepted"),
        (event("tokensGenerated", promptTokens=-1), "invalid_event", "data.promptTokens"),
    ],
)
def test_what_is_no_event_is_refused_in_json(tell, body, code, param):
    assert error(tell(body)) == (400, "invalid_request_error", code, param)
    assert not IdeEvent.objects.exists()


@pytest.mark.parametrize("size", [ide_api.LARGEST_BODY + 1, 3 * 1024 * 1024])
def test_a_large_body_is_refused(tell, size):
    body = b'{"name": "' + b"x" * size

    assert error(tell(body)) == (413, "invalid_request_error", "body_too_large", None)


def test_a_megabyte_of_code_is_taken_and_dropped(tell):
    body = event("chatInteraction", completion="")
    body["data"]["completion"] = "x" * (ide_api.LARGEST_BODY - len(json.dumps(body)))

    assert answer(tell(body)) == (200, "stored")


@pytest.mark.parametrize("key", ["pd_nonsense", "pd_" + "0" * 40])
def test_a_bad_key_is_refused_and_told_how(tell, key):
    response = tell(event("autocomplete"), key=key)

    assert error(response) == (401, "authentication_error", "invalid_api_key", None)
    assert response["www-authenticate"] == "Bearer"
    assert not IdeEvent.objects.exists()


def test_a_revoked_key_is_refused(tell, world):
    world.key.revoked_at = AT
    world.key.save(update_fields=["revoked_at"])

    assert tell(event("autocomplete")).status_code == 401


def test_a_draft_and_a_closed_pilot_take_nothing(tell, world):
    _, draft = make_key(make_enrollment(make_pilot(started_at=None), world.person))
    _, closed = make_key(make_enrollment(make_pilot(closed_at=AT), world.person))

    refused = [error(tell(event("autocomplete"), key=key)) for key in (draft, closed)]

    assert refused == [
        (409, "invalid_request_error", "pilot_not_started", None),
        (410, "invalid_request_error", "pilot_closed", None),
    ]
    assert not IdeEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_nothing_but_post_is_answered(client, world, method):
    headers = {"Authorization": f"Bearer {world.plain_key}"}

    response = getattr(client, method)(URL, headers=headers)

    assert (response.status_code, response["allow"]) == (405, "POST")
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_other_addresses_beside_it_are_nobodys(client, world):
    for path in (f"{URL}/", "/ingest/continued", "/ingest/litellm"):
        response = client.post(path, {}, headers={"Authorization": f"Bearer {world.plain_key}"})
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "unknown_path"


def test_so_many_events_a_minute_and_key(tell, monkeypatch):
    monkeypatch.setattr(ide_api, "PER_MINUTE", 2)

    codes = [tell(event("toolUsage", toolCallId=str(n))).status_code for n in range(2)]
    refused = tell(event("toolUsage", toolCallId="3"))
    monkeypatch.setattr(timezone, "now", lambda: AT + timedelta(minutes=1))
    later = tell(event("toolUsage", toolCallId="3"))

    assert codes == [200, 200]
    assert error(refused) == (429, "rate_limit_error", "rate_limit_exceeded", None)
    assert refused["retry-after"] == "60"
    assert later.status_code == 200


def test_without_the_cache_events_are_let_through(tell, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert cache  # resolved anew from the settings

    assert answer(tell(event("toolUsage"))) == (200, "stored")
    assert answer(tell(event("somethingNew"))) == (200, "ignored")


def everything_stored():
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_code_paths_and_repositories_are_nowhere(tell, world, caplog, capfd, valkey):
    candidate = make_candidate(upstream_model="qwen:7b")
    make_trial(world.pilot, candidate)
    caplog.set_level(logging.DEBUG)
    unknown = dict.fromkeys(("beforeContent", "diffs", "label", "context"), MARKS[0])
    for minute, schema in enumerate(("0.1.0", "0.2.0")):
        for name in [*DATA, "nextEditWithHistory", "quickEdit"]:
            told = {"timestamp": f"2026-11-18T12:0{minute}:00Z"}
            body = event(name, schema=schema, **unknown | told)
            assert tell(body | {"profileId": MARKS[1]}).status_code in (200, 202)
    local = {"model": "qwen:7b", "provider": "ollama"}
    tell(event("tokensGenerated", **local, prompt=MARKS[0], completion=MARKS[1]))
    # Refused ones too: their errors and their logs repeat nothing.
    refused = [
        tell(json.dumps(event("chatFeedback", feedback=MARKS[0]))),
        tell(json.dumps(event("chatFeedback"))[:-1]),
        tell(event("autocomplete", timestamp=MARKS[0])),
    ]

    said = [response.content.decode() for response in refused]
    assert [response.status_code for response in refused] == [400] * 3
    assert Call.objects.get().source == "ide"
    assert IdeEvent.objects.count() == len(DATA) * 2 + 1
    names = list(valkey.scan_iter())
    cached = [valkey.get(name) or b"" for name in names if valkey.type(name) == b"string"]
    printed = capfd.readouterr()
    haystack = "\n".join(
        [
            everything_stored(),
            caplog.text,
            printed.out,
            printed.err,
            *said,
            *(name.decode() for name in names),
            *(value.decode("latin-1") for value in cached),
        ]
    )
    assert str(world.candidate.id) in haystack
    assert [mark for mark in MARKS if mark in haystack] == []


@pytest.mark.parametrize("events", [1, 3])
def test_an_event_takes_the_same_few_queries(tell, world, events, django_assert_num_queries):
    for number in range(events):
        make_trial(world.pilot)
        tell(event("autocomplete", completionId=str(number)))

    # The key, whether it is known, whether anything has changed, and the row.
    with django_assert_num_queries(4 + 2):
        assert answer(tell(event("autocomplete"))) == (200, "stored")
    with django_assert_num_queries(2 + 2):
        assert answer(tell(event("autocomplete", accepted=False))) == (200, "known")
