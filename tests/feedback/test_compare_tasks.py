"""What a worker is handed of a comparison, and what it does by the clock."""

from uuid import uuid4

import pytest
from django.utils import timezone

from apps.feedback.compare_tasks import answer_comparison, empty_expired_comparisons
from apps.feedback.comparisons import KEPT_FOR
from apps.feedback.models import Comparison
from tests.factories import NOON
from tests.feedback.comparing import make_contest, texts

pytestmark = pytest.mark.django_db


def test_a_comparison_that_is_gone_is_nobodys_business():
    answer_comparison(comparison_id=str(uuid4()))

    assert Comparison.objects.count() == 0


def test_a_gateway_that_is_away_fails_the_comparison(monkeypatch, settings):
    contest = make_contest()
    asked = contest.ask()
    settings.GATEWAY_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(timezone, "now", lambda: NOON)

    answer_comparison(comparison_id=str(asked.id))

    asked.refresh_from_db()
    assert asked.failed_at == NOON
    assert set(asked.answers.values_list("error", flat=True)) == {"unreachable"}


def test_expired_words_are_erased_every_hour(monkeypatch):
    asked = make_contest().ready()
    monkeypatch.setattr(timezone, "now", lambda: NOON + KEPT_FOR)

    empty_expired_comparisons()

    asked.refresh_from_db()
    assert (asked.prompt, texts(asked)) == ("", ["", ""])
