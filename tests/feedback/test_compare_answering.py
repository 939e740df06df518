"""Comparisons that real candidates answer, through a gateway as it runs in earnest."""

import json
import random
from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from django import conf
from django.utils import timezone

from apps.changes.models import JobClaim
from apps.feedback.compare_answering import SECONDS, answer
from apps.feedback.comparisons import ANSWERED_WITHIN, compare_blind, compare_side_by_side
from apps.feedback.models import Comparison
from apps.gateway.contract import LimitRoute
from apps.pilots.models import Stage
from tests.factories import (
    make_candidate,
    make_enrollment,
    make_pilot,
    make_provider,
    make_trial,
    make_user,
)
from tests.feedback.comparing import Contest, texts
from tests.gateway.live import running_live

SAID = 'Grüße aus 东京 🎉 "quoted\\"\n\tdef f(): end'
MODELS = {
    "good": "any?events=7",
    "brief": "any?events=1",
    "broken": "any?status=500",
    "cut": "any?cut_at=1",
    "hanging": "any?hang=mid",
    "claiming": 'any?events=2&raw={"choices":[{"index":0,"delta":{"content":"I am Gemini."}}]}',
}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    valkey = redis.Redis.from_url(conf.settings.REDIS_URL)
    valkey.flushdb()
    with running_live(tmp_path_factory.mktemp("gateway"), valkey, MODELS) as live:
        yield live


def stage(live, settings, *names, kind=Stage.TRIAL):
    """A pilot whose candidates are those of the gateway: both know them by the same numbers."""
    settings.GATEWAY_URL = live.url
    now = timezone.now()
    days = {"starts_on": now.date() - timedelta(days=1), "ends_on": now.date() + timedelta(days=1)}
    pilot = make_pilot(id=1, stage=kind, **days)
    provider = make_provider()
    candidates = []
    for name in names:
        number = 11 + list(MODELS).index(name)
        each = make_candidate(id=number, slug=f"cand-{number}", name=name, provider=provider)
        make_trial(pilot, each)
        candidates.append(each)
    user = make_user()
    make_enrollment(pilot, user.person)
    return Contest(pilot, candidates, user, user.person)


def blind(contest, seed=1, prompt="Why?"):
    return compare_blind(
        pilot=contest.pilot,
        person=contest.person,
        prompt=prompt,
        now=timezone.now(),
        chance=random.Random(seed),
    )


def answered(comparison, **fields):
    is_stored = answer(comparison_id=comparison.id, clock=timezone.now, **fields)
    comparison.refresh_from_db()
    return is_stored


def test_both_answer_and_their_calls_are_recorded_apart(live, settings):
    contest = stage(live, settings, "good", "brief")
    before = len(live.records(0))
    asked = blind(contest, prompt="Wozu? 🎉")

    assert answered(asked)

    assert (asked.ready_at is not None, asked.failed_at) == (True, None)
    said = {
        each.candidate_id: text
        for each, text in zip(asked.answers.order_by("side"), texts(asked), strict=True)
    }
    assert said == {11: SAID, 12: "Grüße"}
    for seen in live.provider.seen[-2:]:
        assert json.loads(seen.body)["messages"] == [{"role": "user", "content": "Wozu? 🎉"}]
    live.records(before + 2)
    records = {str(each.id): each for each in live.records(0)}
    for each in asked.answers.all():
        record = records[str(each.call_id)]
        assert (record.source, record.alias, record.key_id) == ("compare", "compare", None)
        assert record.candidate_id == each.candidate_id
        assert (record.pilot_id, record.person_id) == (1, contest.person.id)
        assert (record.task, record.outcome, record.rateable) == ("chat", "ok", False)
        assert record.completion_tokens == {11: 7, 12: 1}[each.candidate_id]
        assert 0 <= each.first_content_ms <= each.total_ms


@pytest.mark.parametrize("other", ["broken", "cut"])
def test_with_one_that_breaks_the_comparison_fails_and_keeps_no_words(live, settings, other):
    contest = stage(live, settings, "good", other)
    asked = blind(contest)

    assert answered(asked)

    assert (asked.ready_at, asked.failed_at is not None) == (None, True)
    assert texts(asked) == ["", ""]
    errors = dict(asked.answers.values_list("candidate_id", "error"))
    assert errors == {11: "", contest.candidates[1].id: "failed"}


def test_one_that_hangs_is_not_waited_for_longer_than_allowed(live, settings):
    contest = stage(live, settings, "good", "hanging")
    asked = blind(contest)

    answered(asked, seconds=1.0)

    assert asked.failed_at - asked.created_at < timedelta(seconds=5)
    assert set(asked.answers.values_list("candidate_id", "error")) == {(11, ""), (15, "late")}


def test_an_answer_that_names_itself_is_flagged(live, settings):
    contest = stage(live, settings, "brief", "claiming")
    asked = blind(contest)

    answered(asked)

    flags = dict(asked.answers.values_list("candidate_id", "names_itself"))
    assert flags == {12: False, 16: True}


def test_side_by_side_calls_have_an_alias_of_their_own(live, settings):
    contest = stage(live, settings, "good", "broken", "brief", kind=Stage.SCREENING)
    asked = compare_side_by_side(
        pilot=contest.pilot,
        person=contest.person,
        prompt="Why?",
        candidate_ids=[each.id for each in contest.candidates],
        now=timezone.now(),
    )

    assert answered(asked)

    assert texts(asked) == [SAID, "", "Grüße"]
    assert asked.ready_at is not None
    calls = [str(each) for each in asked.answers.values_list("call_id", flat=True)]
    live.records(3)
    found = [each for each in live.records(0) if str(each.id) in calls]
    assert {(each.alias, each.source) for each in found} == {("side-by-side", "compare")}


def test_a_limit_that_is_reached_is_told_in_one_word(tmp_path, valkey, settings):
    def one_a_minute(routes):
        pilot = replace(routes.pilots[1], limits=(LimitRoute("pilot", requests_per_minute=1),))
        return replace(routes, pilots={1: pilot})

    with running_live(tmp_path, valkey, MODELS, change=one_a_minute) as live:
        contest = stage(live, settings, "good", "brief")
        asked = blind(contest)
        answered(asked)

    assert asked.failed_at is not None
    assert sorted(asked.answers.values_list("error", flat=True)) == ["", "limit"]


def test_a_task_handed_out_twice_asks_once(live, settings):
    contest = stage(live, settings, "good", "brief")
    asked = blind(contest)
    JobClaim.objects.create(job="comparison", period=str(asked.id), claimed_at=timezone.now())
    seen = len(live.provider.seen)

    assert answered(asked) is False

    assert len(live.provider.seen) == seen
    assert (asked.ready_at, asked.failed_at) == (None, None)


def test_a_task_that_comes_too_late_asks_nobody(live, settings):
    contest = stage(live, settings, "good", "brief")
    asked = blind(contest)
    begins = asked.created_at + ANSWERED_WITHIN - timedelta(seconds=SECONDS)
    seen = len(live.provider.seen)

    assert answer(comparison_id=asked.id, clock=lambda: begins) is False

    asked.refresh_from_db()
    assert asked.failed_at == begins
    assert len(live.provider.seen) == seen


def test_without_the_key_to_the_prompt_nobody_is_asked(live, settings):
    contest = stage(live, settings, "good", "brief")
    asked = blind(contest)
    Comparison.objects.filter(id=asked.id).update(prompt="no token of ours")
    seen = len(live.provider.seen)

    assert answered(asked) is False

    assert asked.failed_at is not None
    assert len(live.provider.seen) == seen
