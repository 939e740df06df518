"""The sample pilots: made once, the same for the same moment, finished after an interruption."""

import json
from datetime import UTC, datetime

import pytest

from apps.catalog.models import Candidate, HostingInterval
from apps.feedback.models import DailyQuestion, IdeEvent, PulseAnswer, Rating
from apps.metrics.models import DayUsage
from apps.pilots.models import IncumbentDay, Key, Pilot
from apps.pilots.routing import build_route_table
from apps.pilots.turns import Turns
from apps.usage.models import Call
from pilotdash.demo import seed as seeding
from pilotdash.demo.keys import read_keys

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
RECORDED = ("id", "candidate_id", "person_id", "outcome", "prompt_tokens", "cost_usd")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path, settings, valkey):
    """A short history, in a data folder of its own."""
    monkeypatch.setattr(seeding, "CALLS", 300)
    monkeypatch.setattr(seeding, "EARLIER_CALLS", 80)
    monkeypatch.setenv("PILOTDASH_SIMULATOR_URL", "http://127.0.0.1:9")
    settings.DATA = tmp_path
    return tmp_path


def calls():
    return list(Call.objects.order_by("id").values_list(*RECORDED))


def said():
    answers = DailyQuestion.objects.order_by("id").values_list("person_id", "day", "score")
    return list(answers), IdeEvent.objects.count(), PulseAnswer.objects.count()


def test_seeding_makes_two_pilots_with_their_past(small):
    assert seeding.seed(small, now=NOW) is True

    told = json.loads((small / "demo.json").read_text())
    running, earlier = Pilot.objects.order_by("-starts_on")
    assert (told["pilot"], told["blind_alias"]) == (running.slug, "pilot-chat")
    assert told["candidates"] == ["phind-34b", "wizardcoder-15b"]
    routes = build_route_table(NOW).pilots[running.id]
    assert (list(routes.aliases), list(routes.blind)) == (told["candidates"], ["pilot-chat"])
    assert (running.trials.count(), earlier.trials.count()) == (4, 2)
    assert (running.enrollments.count(), len(read_keys(small))) == (14, 14)
    assert (running.closed_at, earlier.closed_at) == (None, earlier.period.end)
    assert Call.objects.filter(pilot_id=running.id).count() == 300
    assert Call.objects.filter(pilot_id=earlier.id).count() == 80
    assert sum(DayUsage.objects.values_list("calls", flat=True)) == 380
    assert Rating.objects.count() > 10
    # Whoever a day had assigned answered, and is who the day's question is about.
    blind = Call.objects.filter(alias="pilot-chat")
    assert blind.count() > 20
    turns = Turns(running)
    for call in blind:
        turn = turns.turn("pilot-chat", person_id=call.person_id, at=call.admitted_at)
        assert call.candidate_id == turn.candidate_id
    answers = DailyQuestion.objects.filter(score__isnull=False)
    assert answers.count() > 10
    assert {each.role for each in answers} == {"chat"}
    assert {each.candidate_id for each in answers} == {each.candidate_id for each in blind}
    assert IdeEvent.objects.filter(is_accepted=True).count() > 3
    assert PulseAnswer.objects.count() > 5
    assert IncumbentDay.objects.count() == 15
    by_the_hour = HostingInterval.objects.values_list("candidate__slug", flat=True).distinct()
    per_token = Candidate.objects.filter(prices__isnull=False, trials__pilot=running)
    assert sorted(by_the_hour) == ["phind-codellama-34b", "wizardcoder-15b"]
    assert sorted(each.slug for each in per_token) == ["code-llama-34b", "mistral-7b"]
    # Whoever finds a call without a cost has found a fault of the demo.
    hosted = Candidate.objects.filter(hosting_intervals__isnull=False).values("id")
    assert not Call.objects.filter(cost_usd=None).exclude(candidate_id__in=hosted).exists()
    assert not DayUsage.objects.exclude(uncosted=0).exists()


def test_a_second_start_changes_nothing(small):
    seeding.seed(small, now=NOW)
    before = calls(), said(), Key.objects.count(), (small / "demo.json").read_text()

    assert seeding.seed(small, now=NOW.replace(hour=18)) is False

    assert (calls(), said(), Key.objects.count(), (small / "demo.json").read_text()) == before


def test_an_interrupted_start_is_finished_by_the_next(small, monkeypatch):
    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(seeding.history, "give_ratings", crash)
        with pytest.raises(KeyboardInterrupt):
            seeding.seed(small, now=NOW)
    halfway = set(calls())

    assert seeding.seed(small, now=NOW.replace(hour=18)) is True

    assert halfway < set(calls())
    assert Call.objects.count() == 380
    assert sum(DayUsage.objects.values_list("calls", flat=True)) == 380
