from datetime import timedelta

import pytest
from django.db import IntegrityError

from apps.usage.actions import retry_dead_letter, settle_dead_letter
from apps.usage.incoming import Unstorable
from apps.usage.models import Call, DeadLetter
from tests.factories import NOON, make_record

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=1)


def letter(raw, entry_id="1-0"):
    return DeadLetter.objects.create(received_at=NOON, entry_id=entry_id, reason="?", raw=raw)


def record(**fields):
    return make_record(pilot_id=1, person_id=1, candidate_id=1, **fields)


def test_a_letter_is_settled_once_and_kept():
    kept = letter(b"{")

    settle_dead_letter(letter=kept, now=NOON)
    settle_dead_letter(letter=kept, now=LATER)

    assert list(DeadLetter.objects.values_list("settled_at", flat=True)) == [NOON]


def test_a_record_that_can_be_stored_now_is_stored_and_its_letter_settled():
    kept = letter(record().to_json())

    assert retry_dead_letter(letter=kept, now=LATER) == 1

    kept.refresh_from_db()
    assert (Call.objects.count(), kept.settled_at) == (1, LATER)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"{", Unstorable),
        (record(prompt_tokens=1, cached_tokens=2).to_json(), IntegrityError),
    ],
)
def test_a_record_that_still_cannot_be_stored_stays_open(raw, problem):
    kept = letter(raw)

    with pytest.raises(problem):
        retry_dead_letter(letter=kept, now=LATER)

    kept.refresh_from_db()
    assert kept.settled_at is None
