"""The second stage of the sample pilot: two finalists behind one name, and what people said of it.

Everything is drawn from the seed, the person and the day, so that a run that was interrupted ends
with the same answers.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

import numpy as np

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.periods import DAY
from apps.core.rotation import working_day
from apps.feedback.daily import answer, ask
from apps.feedback.daily_use import Used
from apps.feedback.models import IdeEvent
from apps.feedback.pulse import TOPICS, answer_pulse
from apps.gateway.contract import CallRecord
from apps.pilots.events import add_event
from apps.pilots.models import (
    Enrollment,
    Incumbent,
    IncumbentDay,
    Key,
    Measure,
    Pilot,
    UseRole,
)
from apps.pilots.plans import Aim, set_plan
from apps.pilots.rotations import start_rotation
from apps.pilots.turns import Turns
from apps.usage.generator import Caller, CandidateShape, Pick
from pilotdash.demo.cast import BLIND_ALIAS, COMMENTS, FINALISTS, SimulatedModel

SCREENING_DAYS: Final = 7
SPOKEN: Final = ("chat", "edit", "agent")
# Of the calls that speak, so many go to the blind alias; the rest try what is beside it.
BLIND: Final = 0.8
ANSWERED, WITH_REASON, SHOWN = 0.62, 0.15, 0.55
ASKED_AT: Final = timedelta(hours=16, minutes=30)
INCUMBENT: Final = ("GitHub Copilot", 14, Decimal(19))


def set_goals(pilot: Pilot, *, now: datetime, person: Person) -> None:
    """Set what is to be found out, before the pilot starts."""
    name, seats, usd = INCUMBENT
    incumbent = Incumbent.objects.create(
        pilot=pilot, name=name, seats=seats, usd_per_seat_month=usd, created_at=now
    )
    set_plan(
        pilot=pilot,
        aims={
            UseRole.CHAT: Aim(Measure.DAILY, Decimal("0.3"), Decimal("3.5")),
            UseRole.COMPLETION: Aim(Measure.ACCEPTANCE, Decimal("0.03"), Decimal("0.25")),
        },
        fields={
            "decide_by": pilot.ends_on,
            "baseline": incumbent,
            "people_expected": 14,
            "first_content_ms_most": 1_500,
            "memory_gb": 80,
            "usd_per_year_most": Decimal(20_000),
            "failed_share_most": Decimal("0.02"),
            "upkeep_hours_week_most": Decimal(4),
        },
        now=now,
        actor=person,
    )


def begin_trial(
    pilot: Pilot, candidates: Mapping[str, Candidate], *, begins: datetime, person: Person
) -> None:
    """Let the finalists take turns from `begins` on."""
    start_rotation(
        pilot=pilot,
        role=UseRole.CHAT,
        candidate_ids=[candidates[model.slug].id for model in FINALISTS],
        alias=BLIND_ALIAS,
        now=begins,
        actor=person,
    )
    hosted = candidates["phind-codellama-34b"]
    upgraded = begins + 4 * DAY + timedelta(hours=10)
    add_event(
        pilot=pilot,
        text="vLLM upgraded",
        at=upgraded,
        candidate=hosted,
        now=upgraded,
        actor=person,
    )


def pick_of(pilot: Pilot, shapes: Mapping[int, CandidateShape], *, begins: datetime) -> Pick:
    """Return who answers: the rotation behind the alias, and those beside it by a lot."""
    turns = Turns(pilot)
    finalists = {shape.candidate_id for shape in shapes.values()}
    finalists &= {turn for era in _eras(pilot) for turn in era}
    beside = [shape for id_, shape in shapes.items() if id_ not in finalists]

    def pick(caller: Caller, at: datetime, task: str) -> CandidateShape | None:
        if at < begins:
            return None
        lot = _lot(f"{caller.person_id}:{at.isoformat()}:{task}")
        if task in SPOKEN and lot < BLIND:
            turn = turns.turn(BLIND_ALIAS, person_id=caller.person_id, at=at)
            if turn is not None:
                return _named(shapes[turn.candidate_id], BLIND_ALIAS)
        return beside[int(lot * 1_000) % len(beside)]

    return pick


def _eras(pilot: Pilot) -> list[tuple[int, ...]]:
    return [
        era.candidate_ids
        for rotation in pilot.rotations.prefetch_related("eras")
        for era in rotation.known_eras()
    ]


def _named(shape: CandidateShape, alias: str) -> CandidateShape:
    return CandidateShape(
        candidate_id=shape.candidate_id,
        provider_id=shape.provider_id,
        alias=alias,
        first_content_ms=shape.first_content_ms,
        tokens_per_s=shape.tokens_per_s,
        failure_rate=shape.failure_rate,
    )


def give_answers(
    pilot: Pilot,
    records: Sequence[CallRecord],
    models: Mapping[int, SimulatedModel],
    *,
    until: datetime,
    not_today: int,
) -> int:
    """Have people answer the daily question; return how many did.

    The person `not_today` has not answered yet on the last day, so that there is one to answer.
    """
    used: dict[tuple[int, date], tuple[int, int, datetime]] = {}
    zone = pilot.zone_info
    for record in records:
        if record.alias == BLIND_ALIAS and record.outcome == "ok":
            key = (record.person_id, working_day(record.admitted_at, zone))
            _, count, _ = used.get(key, (0, 0, record.admitted_at))
            used[key] = (record.candidate_id, count + 1, record.admitted_at)
    people = Person.objects.in_bulk({person_id for person_id, _ in used})
    today, given = working_day(until, zone), 0
    for (person_id, day), (candidate_id, count, last) in sorted(used.items()):
        at = last + timedelta(minutes=12)
        if at >= until or (person_id == not_today and day == today):
            continue
        rng = np.random.default_rng([person_id, day.toordinal()])
        told = Used(UseRole.CHAT, candidate_id, True, count)
        question = ask(pilot=pilot, person=people[person_id], now=at, used=told)
        if rng.random() >= ANSWERED:
            continue
        leaning = ((person_id * 37) % 11 - 5) / 8
        drawn = rng.normal(models[candidate_id].daily + leaning, 0.9)
        score = int(np.clip(np.rint(drawn), 1, 5))
        reason = str(rng.choice(COMMENTS[score > 3])) if rng.random() < WITH_REASON else ""
        later = at + timedelta(minutes=int(rng.integers(1, 40)))
        answer(question=question, pilot=pilot, via="page", now=later, score=score, reason=reason)
        given += 1
    return given


def give_pulses(pilot: Pilot, *, begins: datetime, until: datetime) -> int:
    """Have most people answer the weekly pulse on Fridays; return how many did."""
    zone, given = pilot.zone_info, 0
    day = begins.astimezone(zone).date()
    people = list(
        Person.objects.filter(enrollments__in=Enrollment.objects.filter(pilot=pilot)).order_by("id")
    )
    while (friday := day + (4 - day.weekday()) % 7 * DAY) <= until.astimezone(zone).date():
        at = datetime.combine(friday, datetime.min.time(), zone) + ASKED_AT
        day = friday + DAY
        for person in people:
            rng = np.random.default_rng([person.id, friday.toordinal(), 1])
            if at >= until or rng.random() > 0.7:
                continue
            means = (3.4, 3.1, 3.9, 3.6)
            scores = {
                topic: int(np.clip(np.rint(rng.normal(mean, 0.8)), 1, 5))
                for topic, mean in zip(TOPICS, means, strict=True)
            }
            week = friday - 4 * DAY
            answer_pulse(pilot=pilot, person=person, week=week, scores=scores, via="page", now=at)
            given += 1
    return given


def report_completions(
    pilot: Pilot, records: Sequence[CallRecord], models: Mapping[int, SimulatedModel]
) -> int:
    """Store what the editors say of completions: shown, and accepted or not. Repeat = nothing."""
    zone, keys = pilot.zone_info, dict(Key.objects.values_list("enrollment__person_id", "id"))
    events = []
    for record in records:
        lot = _lot(record.id)
        if record.task != "autocomplete" or record.outcome != "ok" or lot >= SHOWN:
            continue
        at = record.admitted_at + timedelta(seconds=3)
        is_accepted = _lot(f"{record.id}:accepted") < models[record.candidate_id].accepted
        events.append(
            IdeEvent(
                pilot_id=pilot.id,
                person_id=record.person_id,
                key_id=record.key_id or keys[record.person_id],
                digest=sha256(record.id.encode()).hexdigest(),
                kind="autocomplete",
                schema="0.2.0",
                at=at,
                day=working_day(at, zone),
                received_at=at + timedelta(seconds=10),
                alias=record.alias,
                role=UseRole.COMPLETION,
                candidate_id=record.candidate_id,
                is_accepted=is_accepted,
                language=("python", "typescript", "go")[int(lot * 1_000) % 3],
            )
        )
    IdeEvent.objects.bulk_create(events, ignore_conflicts=True, batch_size=2_000)
    return len(events)


def report_incumbent(pilot: Pilot, *, until: date) -> None:
    """Type in what the tool that the team has already reports of its days."""
    incumbent = Incumbent.objects.get(pilot=pilot)
    day, days = pilot.starts_on, []
    while day < until:
        rng = np.random.default_rng([day.toordinal(), 2])
        if day.weekday() < 5:
            shown = int(rng.integers(900, 1_400))
            days.append(
                IncumbentDay(
                    incumbent=incumbent,
                    day=day,
                    active_people=int(rng.integers(8, 12)),
                    shown=shown,
                    accepted=int(shown * rng.uniform(0.24, 0.29)),
                    chats=int(rng.integers(20, 60)),
                    source="made up for the demo",
                    recorded_at=datetime.combine(day + DAY, datetime.min.time(), pilot.zone_info),
                )
            )
        day += DAY
    IncumbentDay.objects.bulk_create(days, ignore_conflicts=True)


def _lot(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") / 2**64
