"""Who is asked now, and by what: the daily question after their hour, sampled answers at once.

The tables are the queue and the schedule is the retry. A message is claimed by a conditional update
before it is sent, so nobody gets one twice; a worker that dies in between loses that message, and
the page still asks.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Final, TypeVar

from django.core.mail import BadHeaderError
from django.db.models import F, Q, QuerySet

from apps.catalog.posting import NotPostable
from apps.core.periods import Period
from apps.core.rotation import working_day
from apps.feedback.daily import ask
from apps.feedback.daily_use import Asked, finished_calls, used_on
from apps.feedback.days import begins_at, clock_day, hour_has_come, is_weekend
from apps.feedback.due import due
from apps.feedback.letters import letter, mail, sample_message, webhook_message
from apps.feedback.models import AskPreference, Channel, DailyQuestion, SampledAnswer
from apps.feedback.preferences import USUAL_HOUR, post, preference_of
from apps.feedback.presence import taking_part
from apps.feedback.samples import pick
from apps.pilots.models import Enrollment, Pilot

Row = TypeVar("Row", DailyQuestion, SampledAnswer)

log = logging.getLogger(__name__)

SENT: Final = (Channel.WEBHOOK, Channel.EMAIL)
# How long after asking the first, second, … try is made; there are no more.
TRIES_AFTER: Final = (
    timedelta(0),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
)
SAMPLES_SENT_WITHIN: Final = timedelta(minutes=30)
NO_MAIL: Final = "The mail server did not take it."


def ask_due(*, now: datetime) -> list[int]:
    """Ask everybody whose hour has come; return the ids of the questions that are to be sent."""
    return [
        question_id
        for pilot in _running(now)
        if _ask_in(pilot, now=now)
        for question_id in _to_send(pilot, now=now)
    ]


def pick_samples(*, now: datetime) -> list[int]:
    """Draw the samples of the last minutes; return the ids of those that are to be sent."""
    found: list[int] = []
    for pilot in _running(now):
        pick(pilot=pilot, now=now)
        waiting = SampledAnswer.objects.filter(
            _untold(now),
            pilot_id=pilot.id,
            channel=Channel.WEBHOOK,
            asked_at__gt=now - SAMPLES_SENT_WITHIN,
        )
        found += waiting.order_by("id").values_list("id", flat=True)
    return found


def deliver_question(*, question_id: int, now: datetime) -> bool:
    """Send one question; False when it has gone out, was answered, or its person is not asked."""
    question = DailyQuestion.objects.filter(id=question_id).select_related("person").first()
    wish = _wish(question, now) if question is not None else None
    if question is None or wish is None or wish.channel not in SENT:
        return False
    pilot, enrollment = wish.enrollment.pilot, wish.enrollment
    waiting = due(question.person, pilot, now)
    whole = letter(
        question,
        pilot=pilot,
        enrollment=enrollment,
        now=now,
        samples=len(waiting.samples),
        has_pulse=waiting.is_pulse_due,
    )

    def send() -> None:
        if wish.channel == Channel.WEBHOOK:
            post(wish, webhook_message(whole))
        else:
            mail(whole, to=enrollment.person.user.email).send()

    mine = DailyQuestion.objects.filter(_untold(now), _unanswered(), id=question.id)
    return _sent(mine, DailyQuestion.objects.filter(id=question.id), send, wish, now)


def deliver_sample(*, sample_id: int, now: datetime) -> bool:
    """Send one sampled answer to a chat; False when it has gone out, or is not to."""
    sample = SampledAnswer.objects.filter(id=sample_id).select_related("person").first()
    wish = _wish(sample, now) if sample is not None else None
    if sample is None or wish is None or wish.channel != Channel.WEBHOOK:
        return False
    pilot = wish.enrollment.pilot
    clock = f"{sample.admitted_at.astimezone(pilot.zone_info):%H:%M}"

    def send() -> None:
        post(wish, sample_message(pilot, wish.enrollment, clock=clock))

    mine = SampledAnswer.objects.filter(_untold(now), id=sample.id)
    return _sent(mine, SampledAnswer.objects.filter(id=sample.id), send, wish, now)


def problem_of(enrollment: Enrollment) -> str:
    """Return why the last message to somebody could not be sent; empty where it could."""
    tried = DailyQuestion.objects.filter(
        pilot_id=enrollment.pilot_id, person=enrollment.person_id, tries__gt=0
    )
    last = tried.order_by("-day").first()
    return last.problem if last is not None else ""


def _running(now: datetime) -> list[Pilot]:
    pilots = Pilot.objects.filter(started_at__isnull=False, closed_at__isnull=True)
    return [pilot for pilot in pilots.order_by("id") if pilot.is_running(at=now)]


def _ask_in(pilot: Pilot, *, now: datetime) -> bool:
    """Ask in one pilot; False where nobody has used anything on the day."""
    day = working_day(now, pilot.zone_info)
    used = used_on(pilot, day)
    if not used:
        return False
    known = DailyQuestion.objects.filter(pilot_id=pilot.id, day=day)
    asked = set(known.values_list("person_id", flat=True))
    whom = Asked(pilot)
    for wish in _ready(pilot, now=now):
        person = wish.enrollment.person
        if person.id in asked or wish.channel == Channel.OFF:
            continue
        chosen = whom.choose(person.id, used.get(person.id, ()))
        if chosen is not None:
            ask(pilot=pilot, person=person, used=chosen, channel=wish.channel, now=now)
    return True


def _to_send(pilot: Pilot, *, now: datetime) -> list[int]:
    day = working_day(now, pilot.zone_info)
    people = [wish.enrollment.person_id for wish in _ready(pilot, now=now) if wish.channel in SENT]
    waiting = DailyQuestion.objects.filter(
        _untold(now), _unanswered(), pilot_id=pilot.id, day=day, person__in=people
    )
    return list(waiting.order_by("id").values_list("id", flat=True))


def _ready(pilot: Pilot, *, now: datetime) -> list[AskPreference]:
    """Return the wishes of all who take part and whose hour has come; on weekends of who works."""
    zone = pilot.zone_info
    enrollments = (
        taking_part()
        .filter(pilot=pilot)
        .select_related("ask_preference", "person", "pilot")
        .order_by("id")
    )
    today = clock_day(now, zone)
    if is_weekend(today):
        since = Period(begins_at(today, zone), now)
        at_work = finished_calls(pilot, since).order_by().values("person_id").distinct()
        enrollments = enrollments.filter(person__in=at_work)
    found = []
    for enrollment in enrollments:
        wish = getattr(enrollment, "ask_preference", None)
        wish = wish or AskPreference(enrollment=enrollment, hour=USUAL_HOUR)
        if hour_has_come(wish.hour, now=now, zone=zone):
            found.append(wish)
    return found


def _untold(now: datetime) -> Q:
    """Of messages: not sent yet, and the next try is due."""
    may_try = Q()
    for tries, after in enumerate(TRIES_AFTER):
        may_try |= Q(tries=tries, asked_at__lte=now - after)
    return may_try & Q(sent_at__isnull=True)


def _unanswered() -> Q:
    return Q(score__isnull=True, skipped_at__isnull=True, withdrawn_at__isnull=True)


def _wish(row: DailyQuestion | SampledAnswer, now: datetime) -> AskPreference | None:
    """Return how the person of a message is asked; None who left, or whose pilot is over."""
    enrollment = (
        taking_part()
        .filter(pilot=row.pilot_id, person=row.person_id)
        .select_related("pilot", "person__user")
        .first()
    )
    if enrollment is None or not enrollment.pilot.is_running(at=now):
        return None
    return preference_of(enrollment)


def _sent(
    mine: QuerySet[Row],
    row: QuerySet[Row],
    send: Callable[[], None],
    wish: AskPreference,
    now: datetime,
) -> bool:
    """Claim and send; a failure gives the claim back, with its reason for the person."""
    if not mine.update(sent_at=now, tries=F("tries") + 1):
        return False
    try:
        send()
    except NotPostable as problem:
        sentence = str(problem)
    except (OSError, SMTPException, BadHeaderError):
        sentence = NO_MAIL
    else:
        row.update(problem="", channel=wish.channel)
        return True
    # Neither the address nor the message: both hold what nobody else may know.
    log.warning("a question by %s was not sent: %s", wish.channel, sentence)
    row.update(sent_at=None, problem=sentence)
    return False
