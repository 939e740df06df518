"""Reads of pilots: who sees which, and who takes part."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404, HttpRequest

from apps.accounts.access import AGGREGATES
from apps.accounts.models import Person, User
from apps.accounts.queries import name_of
from apps.catalog.models import Candidate, CandidateState
from apps.pilots.models import Enrollment, Key, KeyKind, Limit, LimitScope, Pilot, Trial


def pilots_for(user: User) -> QuerySet[Pilot]:
    """Return the pilots that a user may open, those still open first, then the newest first.

    Leads and viewers see every pilot, developers those they take part in; drafts are there for
    administrators alone.
    """
    pilots = Pilot.objects.all() if user.is_admin else Pilot.objects.exclude(started_at=None)
    pilots = pilots.order_by(F("closed_at").desc(nulls_first=True), "-starts_on", "-ends_on", "-id")
    if user.role in AGGREGATES:
        return pilots
    return pilots.filter(enrollments__person=user.person_id, enrollments__left_at__isnull=True)


def pilot_or_404(request: HttpRequest, slug: str) -> Pilot:
    """Return the pilot; to someone who may not open it, it does not exist. Raises Http404."""
    assert isinstance(request.user, User)
    pilot = pilots_for(request.user).filter(slug=slug).first()
    if pilot is None:
        raise Http404(f"no pilot {slug}")
    return pilot


def enrollment_of(user: User, pilot: Pilot) -> Enrollment | None:
    """Return how a user takes part in a pilot, or None."""
    return Enrollment.objects.filter(
        pilot=pilot, person=user.person_id, left_at__isnull=True
    ).first()


def trials_of(pilot: Pilot) -> QuerySet[Trial]:
    """Return what is on trial now, in the candidates' order."""
    trials = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True)
    return trials.select_related("candidate__provider").order_by("candidate__position", "id")


def keys_of(enrollment: Enrollment) -> QuerySet[Key]:
    """Return a developer's own keys, newest first; revoked and expired ones too."""
    keys = Key.objects.filter(enrollment=enrollment, kind=KeyKind.DEVELOPER)
    return keys.order_by("-created_at", "-id")


@dataclass(frozen=True, slots=True)
class PilotRow:
    pilot: Pilot
    candidates: int
    people: int
    keys: int


def pilot_rows(*, now: datetime) -> list[PilotRow]:
    """Return every pilot with what it holds, those still open first."""
    taking_part = Q(enrollments__left_at__isnull=True)
    in_force = Q(
        enrollments__left_at__isnull=True,
        enrollments__keys__revoked_at__isnull=True,
        enrollments__keys__expires_at__gt=now,
    )
    pilots = Pilot.objects.annotate(
        trial_count=Count("trials", filter=Q(trials__dropped_at__isnull=True), distinct=True),
        people_count=Count("enrollments", filter=taking_part, distinct=True),
        key_count=Count("enrollments__keys", filter=in_force, distinct=True),
    ).order_by(F("closed_at").desc(nulls_first=True), "-starts_on", "-id")
    return [PilotRow(p, p.trial_count, p.people_count, p.key_count) for p in pilots]


@dataclass(frozen=True, slots=True)
class Participant:
    """Someone in a pilot. `name` is the user's where there is one, else the pseudonym."""

    enrollment: Enrollment
    name: str
    email: str
    has_joined: bool
    keys: int


def participants(pilot: Pilot, *, now: datetime) -> list[Participant]:
    """Return who takes part, in order of enrollment. `keys` counts those in force."""
    enrollments = (
        Enrollment.objects.filter(pilot=pilot, left_at__isnull=True)
        .select_related("person__user")
        .prefetch_related("person__invitations")
        .annotate(
            key_count=Count(
                "keys", filter=Q(keys__revoked_at__isnull=True, keys__expires_at__gt=now)
            )
        )
        .order_by("enrolled_at", "id")
    )
    return [_participant(enrollment, enrollment.key_count) for enrollment in enrollments]


def _participant(enrollment: Enrollment, keys: int) -> Participant:
    user = getattr(enrollment.person, "user", None)
    if user is not None:
        return Participant(enrollment, user.display_name, user.email, True, keys)
    # Sorted here: a query for each person's newest invitation would grow with the list.
    invitations = sorted(enrollment.person.invitations.all(), key=lambda one: one.created_at)
    email = invitations[-1].email if invitations else ""
    return Participant(enrollment, email or str(enrollment.person), email, False, keys)


def people_to_enroll(pilot: Pilot) -> QuerySet[Person]:
    """Return people with a user who are not in the pilot, by e-mail."""
    inside = Enrollment.objects.filter(pilot=pilot, left_at__isnull=True).values("person_id")
    people = Person.objects.filter(user__is_active=True).exclude(id__in=inside)
    return people.select_related("user").order_by("user__email")


def candidates_to_try(pilot: Pilot) -> QuerySet[Candidate]:
    """Return unretired candidates that are not on trial in the pilot, in their order."""
    running = Trial.objects.filter(pilot=pilot, dropped_at__isnull=True).values("candidate_id")
    candidates = Candidate.objects.exclude(state=CandidateState.RETIRED).exclude(id__in=running)
    return candidates.select_related("provider").order_by("position")


def all_keys(pilot: Pilot) -> QuerySet[Key]:
    """Return every key of a pilot, newest first."""
    keys = Key.objects.filter(enrollment__pilot=pilot).select_related("enrollment__person__user")
    return keys.order_by("-created_at", "-id")


Subject = Key | Enrollment | Candidate


def limits_of(pilot: Pilot) -> list[Limit]:
    """Return a pilot's limits, those of a scope together, the general one first."""
    order = {scope: place for place, scope in enumerate(LimitScope.values)}
    limits = Limit.objects.filter(pilot=pilot).select_related(
        "key__enrollment__person__user", "enrollment__person__user", "candidate__provider"
    )
    return sorted(
        limits.order_by("id"),
        key=lambda limit: (order[limit.scope], whose(limit) is not None, limit.id),
    )


def whose(limit: Limit) -> Subject | None:
    return limit.key or limit.enrollment or limit.candidate


def subjects_to_limit(pilot: Pilot, scope: str, *, now: datetime) -> list[Subject]:
    """Return whose limit may be set: keys in force, people who take part, what is on trial."""
    match scope:
        case LimitScope.KEY:
            return [
                key for key in all_keys(pilot) if key.revoked_at is None and key.expires_at > now
            ]
        case LimitScope.PERSON:
            return [each.enrollment for each in participants(pilot, now=now)]
        case LimitScope.CANDIDATE:
            return [trial.candidate for trial in trials_of(pilot)]
    return []


def subject_words(subject: Subject) -> str:
    """Return what a key, a person or a candidate is called on pages."""
    match subject:
        case Key():
            name = f", {subject.name}" if subject.name else ""
            return f"{subject.hint} of {name_of(subject.enrollment.person)}{name}"
        case Enrollment():
            return name_of(subject.person)
    return subject.name
