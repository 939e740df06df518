"""What a pilot's keys, people and candidates may use."""

from django.db import models
from django.db.models import Q

from apps.catalog.models import Candidate
from apps.core.money import MONEY_DIGITS, MONEY_PLACES
from apps.gateway.contract import MONEY_PERIODS, SCOPES
from apps.pilots.models.pilots import Enrollment, Key, Pilot


class LimitScope(models.TextChoices):
    """Whose a limit is."""

    KEY = "key", "Each key"
    PERSON = "person", "Each person"
    CANDIDATE = "candidate", "Each candidate"
    PILOT = "pilot", "The whole pilot"


class LimitPeriod(models.TextChoices):
    """Over which time money is counted, in the pilot's zone."""

    DAY = "day", "a day"
    MONTH = "month", "a month"
    PILOT = "pilot", "the whole pilot"


assert (LimitScope.values, LimitPeriod.values) == (list(SCOPES), list(MONEY_PERIODS))


class Limit(models.Model):
    """What one key, person or candidate of a pilot, or all of it, may use; None is without limit.

    A row without key, enrollment and candidate holds for each that has no row of its own; what that
    row leaves open, the general one fills in. When the money is used up, a hard limit refuses and a
    soft one tells leads. The gateway counts money since `money_since`, without a gap from then on,
    and has what was spent before looked up.
    """

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="limits")
    scope = models.CharField(max_length=16, choices=LimitScope)
    key = models.ForeignKey(
        Key, on_delete=models.PROTECT, null=True, blank=True, related_name="limits"
    )
    enrollment = models.ForeignKey(
        Enrollment, on_delete=models.PROTECT, null=True, blank=True, related_name="limits"
    )
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="limits"
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveBigIntegerField(null=True, blank=True)
    at_once = models.PositiveIntegerField(null=True, blank=True)
    usd = models.DecimalField(
        max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES, null=True, blank=True
    )
    money_since = models.DateTimeField(null=True, blank=True)
    period = models.CharField(max_length=8, choices=LimitPeriod, default=LimitPeriod.MONTH)
    is_hard = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="limit_scope_says_whose_it_is",
                condition=Q(scope="key", enrollment__isnull=True, candidate__isnull=True)
                | Q(scope="person", key__isnull=True, candidate__isnull=True)
                | Q(scope="candidate", key__isnull=True, enrollment__isnull=True)
                | Q(
                    scope="pilot",
                    key__isnull=True,
                    enrollment__isnull=True,
                    candidate__isnull=True,
                ),
            ),
            models.CheckConstraint(
                name="limit_period_is_known", condition=Q(period__in=list(LimitPeriod.values))
            ),
            models.CheckConstraint(
                name="limit_money_is_counted_since_a_moment",
                condition=Q(usd__isnull=True) | Q(money_since__isnull=False),
            ),
            models.CheckConstraint(
                name="limit_limits_something",
                condition=Q(requests_per_minute__isnull=False)
                | Q(tokens_per_minute__isnull=False)
                | Q(at_once__isnull=False)
                | Q(usd__isnull=False),
            ),
            # Nothing at all is no limit: a candidate is paused, a key revoked, a person taken out.
            models.CheckConstraint(
                name="limit_leaves_something",
                condition=(Q(requests_per_minute__isnull=True) | Q(requests_per_minute__gte=1))
                & (Q(tokens_per_minute__isnull=True) | Q(tokens_per_minute__gte=1))
                & (Q(at_once__isnull=True) | Q(at_once__gte=1))
                & (Q(usd__isnull=True) | Q(usd__gt=0)),
            ),
            models.UniqueConstraint(
                name="limit_one_for_all_of_a_scope",
                fields=["pilot", "scope"],
                condition=Q(key__isnull=True, enrollment__isnull=True, candidate__isnull=True),
            ),
            models.UniqueConstraint(
                name="limit_once_per_key", fields=["key"], condition=Q(key__isnull=False)
            ),
            models.UniqueConstraint(
                name="limit_once_per_enrollment",
                fields=["enrollment"],
                condition=Q(enrollment__isnull=False),
            ),
            models.UniqueConstraint(
                name="limit_once_per_candidate",
                fields=["pilot", "candidate"],
                condition=Q(candidate__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} in {self.pilot_id}"
