"""A pilot: who takes part, what is on trial, and the keys that open it."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.catalog.models import Candidate
from apps.core.money import MONEY_DIGITS, MONEY_PLACES
from apps.core.periods import Period, period_of_days

# Continue sends models called "o1…" or "gpt-5…" to another endpoint, so no alias may look like one.
ALIAS = re.compile(r"^(?!o\d|gpt-[5-9])[a-z0-9][a-z0-9._-]{0,62}$")


# Of the answers that can be rated, so many are asked about: a sample that nobody chose.
SAMPLE_SHARE: Final = Decimal("0.05")


class RatingScale(models.TextChoices):
    THUMBS = "thumbs", "Thumbs up or down"
    STARS = "stars", "One to five"


class Stage(models.TextChoices):
    """How far the choice has come: many candidates by a few people, or finalists by all."""

    SCREENING = "screening", "Screening: a few people, any number of candidates, side by side"
    TRIAL = "trial", "Trial: everybody, two or three finalists"


class AfterClose(models.TextChoices):
    """What keys are answered once the pilot has ended."""

    GONE = "gone", "A sentence that says the pilot is over"
    WINNER = "winner", "The winner answers"
    FALLBACK = "fallback", "Another candidate answers"


class Pilot(models.Model):
    """One trial of some candidates by some people between two dates of its own time zone.

    A draft has not started: `started_at` is null, its keys open nothing. `people_named` decides
    whether leads see who did what, or only sums over groups. The gateway counts money against the
    budget since `budget_since`, else since `created_at`, and has what was spent before looked up.

    Who answered a blind call is shown to nobody until `unblinded_at` or `closed_at`. A closing is
    announced for `closes_at`; `after_close` and `after_candidate` say what keys are answered then,
    with `closing_sentence` beside. Empty texts and tags stand for the product's own.
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
    stage = models.CharField(max_length=16, choices=Stage, default=Stage.TRIAL)
    daily_question = models.CharField(max_length=200, blank=True)
    pulse_questions = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    rating_tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    widget_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    sample_share = models.DecimalField(max_digits=4, decimal_places=3, default=SAMPLE_SHARE)
    budget_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    unblinded_at = models.DateTimeField(null=True, blank=True)
    closing_announced_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    after_close = models.CharField(max_length=16, choices=AfterClose, default=AfterClose.GONE)
    after_candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closing_sentence = models.CharField(max_length=300, blank=True)
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
            models.CheckConstraint(
                name="pilot_stage_is_known", condition=Q(stage__in=list(Stage.values))
            ),
            models.CheckConstraint(
                name="pilot_samples_a_share",
                condition=Q(sample_share__gte=0, sample_share__lte=1),
            ),
            models.CheckConstraint(
                name="pilot_after_close_names_who_answers",
                condition=Q(after_close=AfterClose.GONE)
                | Q(after_close__in=[AfterClose.WINNER, AfterClose.FALLBACK])
                & Q(after_candidate__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        return self.started_at is None

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
        return (
            not self.is_draft
            and self.closed_at is None
            and self.period.start <= at < self.period.end
        )


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


class JoinLink(models.Model):
    """A link by which people join a pilot by themselves. Only its digest is stored.

    With `email_domains`, only addresses of those domains; at most `most_uses` people.
    """

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="join_links")
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=16)
    email_domains = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    most_uses = models.PositiveIntegerField(default=40)
    uses = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="joinlink_expires_after_creation", condition=Q(expires_at__gt=F("created_at"))
            ),
            models.CheckConstraint(
                name="joinlink_is_not_overused", condition=Q(uses__lte=F("most_uses"))
            ),
        ]

    def __str__(self) -> str:
        return self.hint


class PilotEvent(models.Model):
    """Something that happened to a pilot, such as "vLLM upgraded". Charts show it."""

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    text = models.CharField(max_length=200)
    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor = models.ForeignKey(
        Person, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Said by the product itself, not typed.
    is_automatic = models.BooleanField(default=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["pilot", "-at"], name="pilotevent_newest_first")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.text}"
