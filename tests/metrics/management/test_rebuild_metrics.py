from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from apps.metrics.models import QuarterUsage
from apps.usage.ingest import store_records
from apps.usage.models import Call
from tests.factories import NOON, make_record

pytestmark = pytest.mark.django_db


def command(capsys, *arguments):
    call_command("rebuild_metrics", *arguments)
    return capsys.readouterr().out


def store(at):
    store_records([make_record(pilot_id=1, person_id=1, candidate_id=1, at=at)])


def quarters():
    return list(QuarterUsage.objects.order_by("quarter").values_list("quarter", flat=True))


def test_days_are_rebuilt_and_it_says_so(capsys, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    midnights = [datetime(2026, 11, day, 23, tzinfo=UTC) for day in (16, 17, 18)]
    for at in midnights:
        store(at)

    said = command(capsys, "--from", "2026-11-17", "--to", "2026-11-19")

    assert quarters() == midnights[:2]
    assert said == (
        "Rebuilt 192 quarter-hours from 2026-11-16 23:00 to 2026-11-18 23:00 UTC, and their days.\n"
    )


def test_instants_with_an_offset_are_taken(capsys):
    store(NOON)

    said = command(capsys, "--from", "2026-11-18T13:00+01:00", "--to", "2026-11-18T12:01Z")

    assert quarters() == [NOON]
    assert said.startswith("Rebuilt 1 quarter-hours from 2026-11-18 12:00 to 2026-11-18 12:01")


def test_it_says_what_it_left_alone(capsys):
    store(NOON)
    command(capsys, "--from", "2026-11-18", "--to", "2026-11-19")
    Call.objects.all().delete()

    said = command(capsys, "--from", "2026-11-18", "--to", "2026-11-19")

    assert said.splitlines()[1] == (
        "Left 1 quarter-hours as they are: their calls are kept no more."
    )
    assert quarters() == [NOON]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--to", "2026-11-18"],
        ["--from", "yesterday"],
        ["--from", "2026-11-18T12:00"],
        ["--from", "2026-11-18", "--to", "2026-11-17"],
    ],
)
def test_a_period_that_is_none_is_refused(arguments):
    with pytest.raises(CommandError):
        call_command("rebuild_metrics", *arguments)
