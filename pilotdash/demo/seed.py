"""Fills an empty database with the sample pilots. Run again, it changes nothing.

The history is anchored on the moment of the first run, and is the same for the same moment.
Everything but the calls is made in one transaction; calls have ids that depend on the seed alone,
so that a run that was interrupted is finished by the next one.
"""

import json
import secrets
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.changes.actions import mark_period_dirty
from apps.core.periods import DAY, Period, day_of, start_of_day
from apps.gateway.contract import CallRecord
from apps.metrics.rebuild import rebuild_dirty
from apps.metrics.results import compute_all
from apps.pilots.closing import close_pilot
from apps.pilots.models import Enrollment, Pilot
from apps.usage.generator import CandidateShape
from apps.usage.ingest import drain
from pilotdash.demo import blind_trial, history, stage
from pilotdash.demo.cast import (
    BLIND_ALIAS,
    CLOSED,
    DEVELOPERS,
    FINALISTS,
    TRIAL,
    SimulatedModel,
)
from pilotdash.demo.keys import write_keys
from pilotdash.kept import write_private

CALLS, EARLIER_CALLS = 20_000, 2_400
PAST_DAYS, WHOLE_DAYS = 21, 28
EARLIER_GAP, EARLIER_DAYS = 14, 14
AT_MOST_SECONDS = 300


def seed(data: Path, *, now: datetime) -> bool:
    """Make the sample pilots; False when they are there already."""
    if (data / "demo.json").exists():
        return False
    if not Pilot.objects.filter(slug=stage.RUNNING).exists():
        with transaction.atomic():
            _set_stage(data, now=now)
    running = Pilot.objects.get(slug=stage.RUNNING)
    earlier = Pilot.objects.get(slug=stage.EARLIER)
    # The moment of the first run: an interrupted one goes on from there.
    anchor = running.created_at
    begins = trial_begins(running)
    past = Period(running.period.start, anchor)
    told = _play(running, TRIAL, past, CALLS, history.RATED, now=now, begins=begins)
    _say(running, told, begins=begins, until=anchor)
    _play(earlier, CLOSED, earlier.period, EARLIER_CALLS, 0.3, now=now)
    mark_period_dirty(Period(running.period.start, now))
    rebuild_dirty(now=now, seconds=AT_MOST_SECONDS)
    compute_all(now=now)
    if earlier.closed_at is None:
        close_pilot(pilot=earlier, now=earlier.period.end, reason="its last day is over")
    (data / "demo.unfinished.json").replace(data / "demo.json")
    return True


def _set_stage(data: Path, *, now: datetime) -> None:
    zone = stage.zone_info()
    today = day_of(now, zone)
    starts_on = today - PAST_DAYS * DAY
    earlier_ends = starts_on - EARLIER_GAP * DAY
    earlier_starts = earlier_ends - (EARLIER_DAYS - 1) * DAY
    begins = start_of_day(earlier_starts - DAY, zone)
    names = ("admin", "lead", "developer")
    passwords = {name: secrets.token_urlsafe(12) for name in names}
    staff = stage.make_staff(passwords, now=begins)
    candidates = stage.make_catalog(begins=begins, now=now)
    stage.make_hosting(candidates, Period(start_of_day(starts_on, zone), now), now=now)
    stage.make_pilot(
        slug=stage.EARLIER,
        name="First screening",
        days=(earlier_starts, earlier_ends),
        budget_usd=Decimal(60),
        models=CLOSED,
        candidates=candidates,
        developers=staff.developers[:8],
        people_named=False,
        now=begins,
    )
    running, keys = stage.make_pilot(
        slug=stage.RUNNING,
        name="Code assistant pilot",
        days=(starts_on, starts_on + (WHOLE_DAYS - 1) * DAY),
        budget_usd=Decimal(1500),
        models=TRIAL,
        candidates=candidates,
        developers=staff.developers,
        people_named=True,
        now=start_of_day(starts_on, zone),
        is_draft=True,
    )
    stage.make_limits(running, candidates, now=now)
    lead = staff.lead.person
    blind_trial.set_goals(running, now=start_of_day(starts_on, zone), person=lead)
    Pilot.objects.filter(id=running.id).update(started_at=start_of_day(starts_on, zone))
    running.refresh_from_db()
    blind_trial.begin_trial(running, candidates, begins=trial_begins(running), person=lead)
    Pilot.objects.filter(id=running.id).update(created_at=now)
    write_keys(data, keys)
    told = _told(passwords, keys[0])
    write_private(data / "demo.unfinished.json", json.dumps(told, indent=1))


def _told(passwords: dict[str, str], key: str) -> dict[str, Any]:
    """What a tool needs to walk through the demo."""
    first = DEVELOPERS[0][0].split()[0].lower()
    return {
        "base_url": settings.SITE_URL,
        "openai_base_url": f"{settings.SITE_URL}/v1",
        "admin": {"email": "admin@example.com", "password": passwords["admin"]},
        "lead": {"email": "lead@example.com", "password": passwords["lead"]},
        "developer": {
            "email": f"{first}@example.com",
            "password": passwords["developer"],
            "api_key": key,
        },
        "pilot": stage.RUNNING,
        "candidates": [model.alias for model in TRIAL if model not in FINALISTS],
        "blind_alias": BLIND_ALIAS,
    }


def trial_begins(pilot: Pilot) -> datetime:
    """When the finalists begin to take turns: early on the eighth day."""
    first = pilot.starts_on + blind_trial.SCREENING_DAYS * DAY
    return start_of_day(first, pilot.zone_info) + timedelta(hours=6)


def _play(
    pilot: Pilot,
    models: tuple[SimulatedModel, ...],
    period: Period,
    count: int,
    rated: float,
    *,
    now: datetime,
    begins: datetime | None = None,
) -> list[CallRecord]:
    """Let the past of a pilot happen: its calls through stream and drain, then the ratings.

    From `begins` on the finalists answer blindly.
    """
    shapes = history.shapes_of(pilot, models)
    pick = blind_trial.pick_of(pilot, shapes, begins=begins) if begins else None
    records = history.make_calls(pilot=pilot, period=period, shapes=shapes, count=count, pick=pick)
    history.ship(records)
    drain(now=now, seconds=AT_MOST_SECONDS)
    by_id = _by_id(shapes, models)
    ratings = history.make_ratings(records, by_id, seed=history.SEED + pilot.id, share=rated)
    with transaction.atomic():
        history.give_ratings(pilot, ratings, until=period.end)
    return records


def _say(pilot: Pilot, records: list[CallRecord], *, begins: datetime, until: datetime) -> None:
    """Let people and editors say what they thought of the blind trial."""
    models = _by_id(history.shapes_of(pilot, TRIAL), TRIAL)
    first = Enrollment.objects.filter(pilot=pilot).order_by("id").first()
    assert first is not None
    with transaction.atomic():
        blind_trial.give_answers(pilot, records, models, until=until, not_today=first.person_id)
        blind_trial.give_pulses(pilot, begins=begins, until=until)
        blind_trial.report_completions(pilot, records, models)
        blind_trial.report_incumbent(pilot, until=day_of(until, pilot.zone_info))


def _by_id(
    shapes: dict[int, CandidateShape], models: tuple[SimulatedModel, ...]
) -> dict[int, SimulatedModel]:
    by_alias = {model.alias: model for model in models}
    return {id_: by_alias[shape.alias] for id_, shape in shapes.items()}


def timed_seed(data: Path, *, now: datetime) -> str:
    """Seed, and say in a line what was done."""
    began = time.monotonic()
    if not seed(data, now=now):
        return "The sample pilots are there already."
    return f"Made the sample pilots in {timedelta(seconds=round(time.monotonic() - began))}."
