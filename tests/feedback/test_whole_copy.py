"""One's own copy of everything."""

import json
from datetime import timedelta

import pytest

from apps.accounts import audit
from apps.feedback.actions import rate
from apps.feedback.models import DailyRevision
from tests.factories import NOON, make_candidate, make_price
from tests.feedback import answers
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")


def give(call, person, score=1, now=NOON, **said):
    return rate(call=call, person=person, score=score, scale="thumbs", via="page", now=now, **said)


def download(client, world):
    client.force_login(world.user)
    return json.loads(client.get("/me/download/").content)


def test_the_copy_is_a_file_that_no_cache_keeps(client, world):
    client.force_login(world.user)

    response = client.get("/me/download/")

    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"] == 'attachment; filename="pilotdash-about-me.json"'
    assert response["Cache-Control"] == "private, no-store"


def test_the_copy_holds_account_calls_ratings_and_keys(client, world):
    call = world.call(session="s-1")
    give(call, world.person, comment="First.", tags=["correct"])
    give(call, world.person, 0, now=AT, comment="Second.")
    audit.record_person(None, "role changed", world.person, {"to": "developer"}, NOON)
    audit.record(actor=world.person, action="key issued", subject="a key", now=AT)

    copy = download(client, world)

    assert copy["account"]["email"] == world.user.email
    assert copy["pseudonym"] == world.person.pseudonym
    assert [(each["id"], each["session"]) for each in copy["calls"]] == [(str(call.id), "s-1")]
    assert [(each["score"], each["comment"]) for each in copy["ratings"]] == [(0, "Second.")]
    earlier = [(each["score"], each["comment"], each["tags"]) for each in copy["earlier_ratings"]]
    assert earlier == [(1, "First.", ["correct"])]
    assert [each["action"] for each in copy["audit_trail"]] == ["role changed", "key issued"]
    assert [each["hint"] for each in copy["keys"]] == [world.key.hint]
    assert [each["pilot__slug"] for each in copy["pilots"]] == [world.pilot.slug]
    assert copy["calls_by_pilot"][0]["calls"] == 1


def say_everything(world):
    """One of each, all blind; return what stands for the second candidate."""
    other = make_candidate(name="The Other One")
    make_price(world.candidate, input_usd=7)
    rotation = make_rotation(world.pilot, world.candidate, other)
    call = world.call(alias="pilot-chat", total_ms=98_765, upstream_request_id="theirs-1")
    give(call, world.person)
    answers.pick_by_chance(world, call)
    question = answers.say_of_day(world)
    DailyRevision.objects.create(question=question, score=2, reason="before", until=NOON)
    answers.say_of_week(world)
    answers.vote(world, world.candidate, other)
    answers.tell_event(world)
    answers.send_away(world, rotation, other)
    answers.want_to_be_asked(world)
    return other


def test_the_copy_holds_everything_else_that_one_said_and_did(client, world):
    say_everything(world)

    copy = download(client, world)

    assert [(each["score"], each["reason"]) for each in copy["daily_questions"]] == [
        (4, "words of the day")
    ]
    assert [each["reason"] for each in copy["earlier_daily_answers"]] == ["before"]
    assert [(each["trust"], each["comment"]) for each in copy["weekly_answers"]] == [
        (4, "words of the week")
    ]
    (compared,) = copy["comparisons"]
    assert (compared["prompt"], compared["outcome"]) == ("my own prompt", "left")
    assert [each["text"] for each in compared["answers"]] == ["answer 0", "answer 1"]
    assert [(each["kind"], each["is_accepted"]) for each in copy["events_of_my_editor"]] == [
        ("autocomplete", True)
    ]
    assert [each["day"] for each in copy["candidates_i_sent_away_for_a_day"]] == ["2026-11-18"]
    assert len(copy["answers_picked_by_chance"]) == 1
    assert copy["how_i_want_to_be_asked"] == [
        {
            "enrollment__pilot__slug": world.pilot.slug,
            "channel": "webhook",
            "hour": 16,
            "webhook_hint": "chat.example.com, ends in 1234",
            "changed_at": "2026-11-18T12:00:00Z",
        }
    ]


def told(client, world):
    return json.dumps(download(client, world))


def test_the_copy_tells_who_answered_only_once_everybody_may_know(client, world):
    other = say_everything(world)
    ids = (f'_id": {world.candidate.id}', f'_id": {other.id}')
    secrets = ("98765", "theirs-1", '"candidate_id"', '"assigned_id"', '"cost_usd": "0.0', *ids)
    # These ids must be nobody else's here, or the search would prove nothing.
    assert world.candidate.id not in (world.pilot.id, world.person.id, world.key.id)

    blind = told(client, world)
    world.pilot.closed_at = NOON
    world.pilot.save(update_fields=["closed_at"])
    after = told(client, world)

    assert [secret for secret in secrets if secret in blind] == []
    assert [secret for secret in secrets if secret not in after] == []


def test_others_and_secrets_are_in_nobodys_copy(client, world):
    colleague = world.colleague().person
    answers.say_of_day(world, person=colleague, reason="their day")
    answers.say_of_week(world, person=colleague, comment="their week")
    answers.vote(world, person=colleague, prompt=answers.sealed("their prompt"))
    answers.tell_event(world, person=colleague, kind="their-event")
    answers.want_to_be_asked(world)

    copy = told(client, world)

    for secret in ("their day", "their week", "their prompt", "their-event", answers.ADDRESS):
        assert secret not in copy
    assert "gAAAA" not in copy  # how sealed words begin


@pytest.mark.parametrize("rows", [1, 3])
def test_the_copy_asks_the_same_queries_for_any_number_of_rows(
    client, world, rows, django_assert_num_queries
):
    rotation = make_rotation(world.pilot, world.candidate)
    for n in range(rows):
        give(world.call(alias="pilot-chat"), world.person)
        answers.say_of_day(world, day=answers.TODAY - timedelta(days=n))
        answers.vote(world, world.candidate)
        answers.tell_event(world, digest=f"digest {n}")
    answers.send_away(world, rotation, make_candidate())
    download(client, world)

    with django_assert_num_queries(28):
        client.get("/me/download/")
