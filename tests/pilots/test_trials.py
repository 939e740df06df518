"""Putting candidates on trial in a pilot, under an alias."""

from datetime import timedelta

import pytest

from apps.catalog.models import CandidateState
from apps.pilots.models import Trial
from apps.pilots.trials import (
    AliasMalformed,
    AliasTaken,
    AlreadyOnTrial,
    CandidateRetired,
    add_trial,
    drop_trial,
)
from tests.factories import NOON, make_candidate, make_pilot
from tests.trail import audited, versions

pytestmark = pytest.mark.django_db


def test_candidate_is_put_on_trial_and_dropped():
    pilot, candidate = make_pilot(slug="first"), make_candidate(slug="qwen")

    trial = add_trial(pilot=pilot, candidate=candidate, alias="qwen-coder", now=NOON)
    drop_trial(trial=trial, now=NOON + timedelta(days=1))
    drop_trial(trial=trial, now=NOON + timedelta(days=2))

    trial.refresh_from_db()
    assert (trial.alias, trial.added_at) == ("qwen-coder", NOON)
    assert trial.dropped_at == NOON + timedelta(days=1)
    detail = {"candidate": "qwen", "alias": "qwen-coder"}
    assert audited() == [
        ("trial added", "pilot first", detail),
        ("trial dropped", "pilot first", detail),
    ]
    assert versions() == 2


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "Upper",
        "with space",
        "-dash-first",
        "o1",  # Continue sends these two to another endpoint
        "gpt-5-mini",
        "a" * 64,
        "trailing\n",
        "slash/in",
    ],
)
def test_alias_that_clients_cannot_send_is_refused(alias):
    with pytest.raises(AliasMalformed):
        add_trial(pilot=make_pilot(), candidate=make_candidate(), alias=alias, now=NOON)


@pytest.mark.parametrize("alias", ["gpt-4o", "oss-120b", "a", "qwen2.5-coder_32b", "9b"])
def test_alias_of_other_forms_is_fine(alias):
    trial = add_trial(pilot=make_pilot(), candidate=make_candidate(), alias=alias, now=NOON)

    assert trial.alias == alias


def test_alias_and_candidate_stand_once_in_a_pilot_and_again_in_another():
    pilot, candidate = make_pilot(), make_candidate()
    add_trial(pilot=pilot, candidate=candidate, alias="chat", now=NOON)

    with pytest.raises(AliasTaken):
        add_trial(pilot=pilot, candidate=make_candidate(), alias="chat", now=NOON)
    with pytest.raises(AlreadyOnTrial):
        add_trial(pilot=pilot, candidate=candidate, alias="other", now=NOON)
    add_trial(pilot=make_pilot(), candidate=candidate, alias="chat", now=NOON)

    assert list(Trial.objects.values_list("alias", flat=True)) == ["chat", "chat"]


def test_retired_candidate_is_not_put_on_trial():
    candidate = make_candidate(state=CandidateState.RETIRED)

    with pytest.raises(CandidateRetired):
        add_trial(pilot=make_pilot(), candidate=candidate, alias="chat", now=NOON)
