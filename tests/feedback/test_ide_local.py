"""Models on a developer's own machine: kept apart, estimated, never rotated."""

from datetime import timedelta

import pytest

from apps.changes.actions import routes_changed
from apps.core.uuid7 import instant_of
from apps.feedback.ide import Received
from apps.feedback.models import IdeEvent
from apps.usage.models import Call
from tests.factories import NOON, make_candidate, make_price, make_trial
from tests.feedback.test_ide import RECEIVED, TOLD, rotation, store

LOCAL = {"model": "qwen2.5-coder:7b", "provider": "ollama"}


def local_candidate(world, **fields):
    candidate = make_candidate(upstream_model="Qwen2.5-Coder:7B", **fields)
    make_price(candidate)
    make_trial(world.pilot, candidate, alias="qwen")
    return candidate


def test_a_local_models_call_is_kept_apart_with_its_estimate(world):
    candidate = local_candidate(world)

    assert store(world, "tokensGenerated", **LOCAL) == Received.STORED
    store(world, "tokensGenerated", **LOCAL)

    row = IdeEvent.objects.get()
    assert (row.is_local, row.candidate_id, row.alias) == (True, candidate.id, LOCAL["model"])
    call = Call.objects.get()
    assert (call.admitted_at, instant_of(call.id)) == (TOLD, TOLD)
    assert (call.source, call.usage_source, call.rateable) == ("ide", "estimated", False)
    assert (call.prompt_tokens, call.completion_tokens) == (1_000, 100)
    assert (call.person_id, call.key_id) == (world.person.id, world.key.id)
    assert (call.candidate_id, call.provider_id) == (candidate.id, candidate.provider_id)
    assert (call.alias, call.task, call.outcome) == (LOCAL["model"], "other", "ok")


def test_what_a_local_models_call_costs_is_not_known(world):
    local_candidate(world)

    store(world, "tokensGenerated", **LOCAL)

    call = Call.objects.get()
    assert (call.cost_usd, call.price_id) == (None, None)


def test_the_same_call_told_anew_is_the_same_row(world):
    local_candidate(world)
    store(world, "tokensGenerated", **LOCAL)
    IdeEvent.objects.all().delete()

    store(world, "tokensGenerated", **LOCAL, now=RECEIVED + timedelta(hours=1))

    assert (IdeEvent.objects.count(), Call.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("model", "alias"), [("llama3:latest", "llama3:latest"), ("my model, tuned", "")]
)
def test_a_local_model_that_is_no_candidate_is_an_event_alone(world, model, alias):
    store(world, "tokensGenerated", model=model, provider="lmstudio")

    row = IdeEvent.objects.get()
    assert (row.is_local, row.candidate_id, row.alias) == (True, None, alias)
    assert not Call.objects.exists()


@pytest.mark.parametrize("name", ["autocomplete", "chatInteraction", "chatFeedback"])
def test_other_events_of_local_models_make_no_call(world, name):
    candidate = local_candidate(world)

    status = store(world, name, modelProvider="ollama", modelTitle=None, modelName="qwen")

    row = IdeEvent.objects.get()
    assert (row.is_local, row.candidate_id, status) == (True, candidate.id, Received.STORED)
    assert not Call.objects.exists()


def test_who_takes_turns_is_not_told_by_a_local_model(world):
    made = rotation(world)
    local = {"model": world.candidate.upstream_model, "provider": "ollama"}

    store(world, "tokensGenerated", **local)
    world.pilot.unblinded_at = NOON
    world.pilot.save(update_fields=["unblinded_at"])
    routes_changed()
    world.key.refresh_from_db()
    store(world, "tokensGenerated", **local, generatedTokens=7)

    assert world.candidate.id in made.known_eras()[0].candidate_ids
    assert list(IdeEvent.objects.order_by("id").values_list("candidate_id", flat=True)) == [
        None,
        world.candidate.id,
    ]
    assert list(Call.objects.values_list("completion_tokens", flat=True)) == [7]
