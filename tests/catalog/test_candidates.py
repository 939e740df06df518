from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection

from apps.accounts.models import AuditEntry
from apps.catalog.actions import ProviderRetired, SlugTaken
from apps.catalog.candidates import (
    CandidateRetired,
    FallsBackElsewhere,
    FallsBackToItself,
    FimTemplateMalformed,
    change_candidate,
    pause_candidate,
    register_candidate,
    resume_candidate,
    retire_candidate,
)
from apps.catalog.costs import set_price, start_hosting
from apps.catalog.models import Candidate, Residence
from apps.changes.models import DirtySlice, RoutesVersion
from tests.factories import NOON, make_candidate, make_hosting, make_provider

SETTINGS = {
    "name": "Qwen",
    "deployment": "vLLM, one A100",
    "context_tokens": 32_768,
    "fim_template": "<P>{prefix}<S>{suffix}<M>",
    "fim_stops": ["<P>", "<S>"],
    "has_tools": False,
}


def audited():
    return list(AuditEntry.objects.order_by("id").values_list("action", "subject"))


@pytest.mark.django_db
def test_candidates_are_registered_one_after_the_other():
    provider = make_provider(slug="vllm")
    first = register_candidate(
        provider=provider, slug="qwen", upstream_model="Qwen/Coder", now=NOON, **SETTINGS
    )

    second = register_candidate(
        provider=provider, slug="other", name="Other", upstream_model="m", now=NOON
    )

    stored = Candidate.objects.values(*SETTINGS, "state", "upstream_model").get(id=first.id)
    assert stored == SETTINGS | {"state": "active", "upstream_model": "Qwen/Coder"}
    assert [first.position, second.position] == [1, 2]
    assert (second.fim_template, second.fim_stops, second.has_tools) == ("", [], True)
    assert AuditEntry.objects.order_by("id").values_list("action", "subject", "detail")[0] == (
        "candidate registered",
        "candidate qwen",
        {"provider": "vllm", "model": "Qwen/Coder"},
    )


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_two_positions():
    provider = make_provider()

    def register(number):
        try:
            return register_candidate(
                provider=provider, slug=f"c{number}", name="C", upstream_model="m", now=NOON
            ).position
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        positions = list(pool.map(register, range(4)))

    assert sorted(positions) == [1, 2, 3, 4]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"slug": "taken"}, SlugTaken),
        ({"fim_template": "{prefix} only"}, FimTemplateMalformed),
        ({"fim_template": "{prefix}{prefix}{suffix}"}, FimTemplateMalformed),
        ({"provider": None}, ProviderRetired),
    ],
)
def test_candidate_that_breaks_a_rule_is_not_registered(fields, problem):
    make_candidate(slug="taken")
    told = {"provider": make_provider(), "slug": "new", "upstream_model": "m", "now": NOON}
    told |= SETTINGS | fields
    told["provider"] = told["provider"] or make_provider(retired_at=NOON)

    with pytest.raises(problem):
        register_candidate(**told)

    assert Candidate.objects.count() == 1


@pytest.mark.django_db
def test_candidate_is_changed_but_for_its_model():
    candidate = make_candidate(slug="qwen", upstream_model="m", name="Old")
    fallback = make_candidate()

    change_candidate(candidate=candidate, now=NOON, fallback=fallback, **SETTINGS)
    change_candidate(candidate=candidate, now=NOON, fallback=fallback, **SETTINGS)

    stored = Candidate.objects.get(id=candidate.id)
    assert stored.fallback == fallback
    assert {name: getattr(stored, name) for name in SETTINGS} == SETTINGS
    assert stored.upstream_model == "m"
    assert audited() == [("candidate changed", "candidate qwen")]
    with pytest.raises(FimTemplateMalformed):
        change_candidate(
            candidate=candidate, now=NOON, fallback=None, **SETTINGS | {"fim_template": "x"}
        )


@pytest.mark.django_db
@pytest.mark.parametrize("residence", Residence.values)
def test_candidate_falls_back_to_one_whose_code_goes_to_the_same_class_of_place(residence):
    candidate = make_candidate(provider=make_provider(residence="private"))
    fallback = make_candidate(provider=make_provider(residence=residence))
    told = {"candidate": candidate, "fallback": fallback, "now": NOON} | SETTINGS

    if residence == "private":
        assert change_candidate(**told).fallback == fallback
    else:
        with pytest.raises(FallsBackElsewhere):
            change_candidate(**told)


@pytest.mark.django_db
def test_candidate_does_not_fall_back_to_itself():
    candidate = make_candidate()

    with pytest.raises(FallsBackToItself):
        change_candidate(candidate=candidate, fallback=candidate, now=NOON, **SETTINGS)
    with pytest.raises(IntegrityError, match="candidate_falls_back_to_another"):
        Candidate.objects.update(fallback=candidate)


@pytest.mark.django_db
def test_candidate_is_paused_resumed_and_retired_for_good():
    candidate = make_candidate(slug="qwen")
    running = make_hosting(candidate, started_at=NOON - timedelta(days=1))
    states = []

    for action in (
        pause_candidate,
        pause_candidate,
        resume_candidate,
        retire_candidate,
    ):
        action(candidate=candidate, now=NOON)
        states.append(Candidate.objects.get().state)

    running.refresh_from_db()
    assert states == ["paused", "paused", "active", "retired"]
    assert running.ended_at == NOON
    assert list(DirtySlice.objects.values_list("quarter", flat=True)) == [NOON]
    assert [action for action, _ in audited()] == [
        "candidate paused",
        "candidate resumed",
        "candidate retired",
    ]
    assert RoutesVersion.objects.get().version == 3


@pytest.mark.django_db
def test_retired_candidate_changes_no_more():
    candidate = make_candidate(state="retired")
    prices = dict.fromkeys(("input_usd_per_mtok", "cached_usd_per_mtok", "output_usd_per_mtok"), 1)

    for attempt in (
        lambda: pause_candidate(candidate=candidate, now=NOON),
        lambda: resume_candidate(candidate=candidate, now=NOON),
        lambda: retire_candidate(candidate=candidate, now=NOON),
        lambda: change_candidate(candidate=candidate, now=NOON, fallback=None, **SETTINGS),
        lambda: set_price(candidate=candidate, now=NOON, **prices),
        lambda: start_hosting(candidate=candidate, usd_per_hour=1, now=NOON),
    ):
        with pytest.raises(CandidateRetired):
            attempt()
