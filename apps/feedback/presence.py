"""Who takes part in a pilot now: the one rule for asking, and for what signed links open."""

from django.db.models import QuerySet

from apps.pilots.models import Enrollment


def taking_part() -> QuerySet[Enrollment]:
    """Return the enrollments of people who have not left and may sign in.

    Whoever was deleted or erased has no user any more; their enrollments stay as they were.
    """
    return Enrollment.objects.filter(left_at__isnull=True, person__user__is_active=True)
