"""Every constraint refuses what it is there for."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError

from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_key,
    make_person,
    make_pilot,
    make_trial,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"ends_on": date(2026, 11, 1)}, "pilot_ends_after_it_starts"),
        ({"budget_usd": Decimal(-1)}, "pilot_budget_is_not_negative"),
        ({"rating_scale": "smiles"}, "pilot_scale_is_known"),
    ],
)
def test_pilot_constraints(fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_pilot(**fields)


def test_person_is_in_a_pilot_once():
    pilot, person = make_pilot(), make_person()
    make_enrollment(pilot, person)

    with pytest.raises(IntegrityError, match="enrollment_once_per_pilot"):
        make_enrollment(pilot, person)


@pytest.mark.parametrize(
    ("same", "constraint"),
    [("alias", "trial_alias_once_per_pilot"), ("candidate", "trial_candidate_once_per_pilot")],
)
def test_trial_constraints(same, constraint):
    pilot, candidate = make_pilot(), make_candidate()
    make_trial(pilot, candidate, alias="chat")
    alias, other = ("chat", make_candidate()) if same == "alias" else ("other", candidate)

    with pytest.raises(IntegrityError, match=constraint):
        make_trial(pilot, other, alias=alias)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"created_at": NOON, "expires_at": NOON}, "key_expires_after_creation"),
        ({"kind": "master"}, "key_kind_is_known"),
    ],
)
def test_key_constraints(fields, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_key(make_enrollment(make_pilot()), **fields)
