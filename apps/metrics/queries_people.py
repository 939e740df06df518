"""How far people came: from the invitation to rating answers. Counts only, never who."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Q

from apps.metrics.models import DayUsage
from apps.pilots.models import Enrollment, KeyKind


@dataclass(frozen=True, slots=True)
class Adoption:
    """People of a pilot by how far they came; `active` finished a call since the day asked for."""

    invited: int
    made_key: int
    called: int
    active: int
    rated: int

    @property
    def quiet(self) -> int:
        """Those who called before, and not since."""
        return self.called - self.active


def adoption(pilot_id: int, *, active_since: date) -> Adoption:
    """Return how far a pilot's people came, those who left included. Days of the site's zone."""
    enrolled = Enrollment.objects.filter(pilot_id=pilot_id).aggregate(
        people=Count("person_id", distinct=True),
        with_key=Count("person_id", distinct=True, filter=Q(keys__kind=KeyKind.DEVELOPER)),
    )
    finished = Q(ok__gt=0)
    used = DayUsage.objects.filter(pilot_id=pilot_id).aggregate(
        called=Count("person_id", distinct=True, filter=finished),
        active=Count("person_id", distinct=True, filter=finished & Q(day__gte=active_since)),
        rated=Count("person_id", distinct=True, filter=Q(rated__gt=0)),
    )
    return Adoption(
        enrolled["people"], enrolled["with_key"], used["called"], used["active"], used["rated"]
    )


def last_days(pilot_id: int) -> dict[int, date]:
    """Return each person's last day with a finished call, by person id. Days of the site's zone."""
    used = DayUsage.objects.filter(pilot_id=pilot_id, ok__gt=0).values_list("person_id")
    return dict(used.annotate(last=Max("day")).order_by())
