"""What every page about a pilot begins with: the pilot, the period, and what is on trial."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from apps.accounts.access import signed_in
from apps.accounts.models import User
from apps.core.period_picker import PeriodChoice
from apps.dashboard.navigation import pilot_state
from apps.dashboard.overview_page import trials_ever
from apps.metrics.readers import Reader, reader_of
from apps.pilots.models import Enrollment, Pilot, Trial
from apps.pilots.queries import pilot_or_404

STATE_KINDS = {"Running": "good", "Not begun": "info"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A pilot as one reader sees it at one moment."""

    pilot: Pilot
    user: User
    choice: PeriodChoice
    trials: list[Trial]
    now: datetime

    @property
    def reader(self) -> Reader:
        return reader_of(self.pilot, self.user)


@dataclass(frozen=True, slots=True)
class Head:
    """The line under a pilot's name."""

    state: str
    kind: str
    day: str
    developers: int
    candidates: int


def scene_of(request: HttpRequest, slug: str, *, now: datetime) -> Scene:
    """Return the scene of a request. Raises Http404 where the reader has no such pilot."""
    pilot = pilot_or_404(request, slug)
    choice = PeriodChoice(request.GET, pilot.period, pilot.zone_info, now)
    return Scene(pilot, signed_in(request), choice, trials_ever(pilot), now)


def head_of(scene: Scene) -> Head:
    pilot, choice = scene.pilot, scene.choice
    state = pilot_state(pilot, scene.now)
    length = (pilot.ends_on - pilot.starts_on).days + 1
    if state == "Running":
        day = f"day {(choice.today - choice.pilot_first).days + 1} of {length}"
    elif state == "Not begun":
        day = f"{length} days from {pilot.starts_on.day} {pilot.starts_on:%b}"
    else:
        day = f"{length} days to {choice.pilot_last.day} {choice.pilot_last:%b %Y}"
    taking_part = Enrollment.objects.filter(pilot=pilot, left_at__isnull=True).count()
    on_trial = sum(trial.dropped_at is None for trial in scene.trials)
    return Head(state, STATE_KINDS.get(state, "quiet"), day, taking_part, on_trial)
