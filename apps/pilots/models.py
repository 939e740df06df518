"""A pilot: who takes part, what is on trial, and the keys that open it."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.money import MONEY_DIGITS, MONEY_PLACES
from apps.core.periods import Period, period_of_days
from apps.gateway.contract import MONEY_PERIODS, SCOPES

# Continue sends models called "o1…" or "gpt-5…" to another endpoint, so no alias may look like one.
ALIAS = re.compile(r"^(?!o\d|gpt-[5-9])[a-z0-9][a-z0-9._-]{0,62}$")


class RatingScale(models.TextChoices):
    THUMBS = "thumbs", "Thumbs up or down"
    STARS = "stars", "One to five"


class Pilot(models.Model):
    """One trial of some candidates by some people between two dates of its own time zone.

    `people_named` decides whether leads see who did what, or only sums over groups. The gateway
    counts money against the budget since `budget_since`, else since `created_at`, and has what was
    spent before looked up.
    """

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    starts_on = models.DateField()
    ends_on = models.DateField()
    zone = models.CharField(max_length=64, default="UTC")
    budget_usd = models.DecimalField(
        max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES, null=True, blank=True
    )
    rating_scale = models.CharField(max_length=8, choices=RatingScale, default=RatingScale.THUMBS)
    people_named = models.BooleanField(default=False)
    budget_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="pilot_ends_after_it_starts", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="pilot_budget_is_not_negative",
                condition=Q(budget_usd__isnull=True) | Q(budget_usd__gte=0),
            ),
            models.CheckConstraint(
                name="pilot_scale_is_known",
                condition=Q(rating_scale__in=list(RatingScale.values)),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def period(self) -> Period:
        """From the start of its first day to the end of its last, or to its closing."""
        whole = period_of_days(self.starts_on, self.ends_on, self.zone_info)
        if self.closed_at is None:
            return whole
        return Period(whole.start, max(whole.start, min(whole.end, self.closed_at)))

    def is_running(self, *, at: datetime) -> bool:
        return self.closed_at is None and self.period.start <= at < self.period.end


class Enrollment(models.Model):
    """That a person takes part in a pilot."""

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="enrollments")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="enrollments")
    enrolled_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="enrollment_once_per_pilot", fields=["pilot", "person"])
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.pilot_id}"


class Trial(models.Model):
    """A candidate on trial in a pilot, under the model name that developers send."""

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="trials")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="trials")
    alias = models.CharField(
        max_length=63,
        validators=[
            RegexValidator(
                ALIAS,
                "Use lower-case letters, digits, dots, dashes and underscores; not a name that "
                "starts like o1 or gpt-5, which some editors send elsewhere.",
            )
        ],
    )
    added_at = models.DateTimeField()
    dropped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="trial_alias_once_per_pilot",
                fields=["pilot", "alias"],
                condition=Q(dropped_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="trial_candidate_once_per_pilot",
                fields=["pilot", "candidate"],
                condition=Q(dropped_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.alias


class KeyKind(models.TextChoices):
    DEVELOPER = "developer", "Developer"
    READER = "reader", "API reader"
    INTERNAL = "internal", "Internal"


class Key(models.Model):
    """A key to the endpoint. It belongs to an enrollment, so it opens one pilot; shown once."""

    enrollment = models.ForeignKey(Enrollment, on_delete=models.PROTECT, related_name="keys")
    kind = models.CharField(max_length=16, choices=KeyKind, default=KeyKind.DEVELOPER)
    name = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=16)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="key_expires_after_creation", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="key_kind_is_known", condition=Q(kind__in=list(KeyKind.values))
            ),
        ]

    def __str__(self) -> str:
        return self.hint


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
