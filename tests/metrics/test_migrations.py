from importlib import import_module

import pytest
from django.apps import apps

from apps.metrics.models import DayUsage
from tests.factories import NOON, make_candidate, make_pilot
from tests.metrics.derived import make_usage

pytestmark = pytest.mark.django_db
migration = import_module("apps.metrics.migrations.0002_uncosted_tokens_and_answers")


def test_rows_from_before_get_their_uncosted_part_of_tokens_and_answers():
    pilot, day = make_pilot(), NOON.date()
    for uncosted in (0, 3, 12):
        make_usage(
            pilot,
            make_candidate(),
            day,
            calls=12,
            uncosted=uncosted,
            prompt_tokens=900,
            completion_tokens=300,
            rateable=8,
        )

    migration.share_out(apps, None)

    rows = DayUsage.objects.order_by("id").values_list("uncosted_tokens", "uncosted_rateable")
    assert list(rows) == [(0, 0), (300, 2), (1_200, 8)]
