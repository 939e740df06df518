"""What is set before a trial begins, so that its end is an answer."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.catalog.models import Residence
from apps.core.money import MONEY_DIGITS, MONEY_PLACES
from apps.pilots.models.incumbents import Incumbent
from apps.pilots.models.pilots import Pilot


class UseRole(models.TextChoices):
    """What an assistant is used for; each is judged by itself."""

    COMPLETION = "completion", "Completion"
    CHAT = "chat", "Chat"
    EDIT = "edit", "Edit"
    AGENT = "agent", "Agent"


class Measure(models.TextChoices):
    """What quality means for a role: acceptance for completion, one of the others elsewhere."""

    ACCEPTANCE = "acceptance", "Accepted completions"
    DAILY = "daily", "The daily question"
    WINS = "wins", "Blind wins"


class TieBreak(models.TextChoices):
    """Who is taken among those that are as good as the best within the margin."""

    CHEAPEST = "cheapest", "The cheapest"
    FASTEST = "fastest", "The fastest"
    BASELINE = "baseline", "What we have already"


class Goal(models.Model):
    """The primary measure of one role: one for each, chosen beforehand.

    `margin` and `least` are in the measure's unit: shares of 1 for acceptance and wins, points of
    the five for the daily question. A candidate with less than `least` is not worth having.

    Until the pilot starts, `candidate_ids` and `is_blind` say who is to serve the role, and whether
    they will take turns behind one alias; from then on rotations and trials say it.
    """

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="goals")
    role = models.CharField(max_length=16, choices=UseRole)
    measure = models.CharField(max_length=16, choices=Measure)
    margin = models.DecimalField(max_digits=6, decimal_places=4)
    least = models.DecimalField(max_digits=6, decimal_places=4, null=True, blank=True)
    is_blind = models.BooleanField(default=True)
    candidate_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="goal_one_per_role", fields=["pilot", "role"]),
            models.CheckConstraint(
                name="goal_measure_fits_role",
                condition=Q(role="completion", measure="acceptance")
                | Q(role__in=["chat", "edit", "agent"], measure__in=["daily", "wins"]),
            ),
            models.CheckConstraint(name="goal_margin_is_positive", condition=Q(margin__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.role} by {self.measure}"


class Plan(models.Model):
    """When and how a pilot decides, the thresholds of the five questions, and what is assumed.

    Thresholds that are null are not set. Of the five questions, quality stands with each goal;
    `usd_per_year_most` is for the whole team. The assumptions are those of the day-0 estimate:
    calls, tokens in and out of one developer on a working day.
    """

    pilot = models.OneToOneField(Pilot, on_delete=models.PROTECT, related_name="plan")
    decide_by = models.DateField()
    tie_break = models.CharField(max_length=16, choices=TieBreak, default=TieBreak.CHEAPEST)
    baseline = models.ForeignKey(
        Incumbent, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    people_expected = models.PositiveIntegerField(default=25)
    residence_most = models.CharField(max_length=16, choices=Residence, default=Residence.OUTSIDE)
    first_content_ms_most = models.PositiveIntegerField(null=True, blank=True)
    memory_gb = models.PositiveIntegerField(null=True, blank=True)
    usd_per_year_most = models.DecimalField(
        max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES, null=True, blank=True
    )
    failed_share_most = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True, default=Decimal("0.02")
    )
    upkeep_hours_week_most = models.DecimalField(
        max_digits=5, decimal_places=1, null=True, blank=True
    )
    calls_per_day = models.PositiveIntegerField(default=120)
    prompt_tokens_per_day = models.PositiveBigIntegerField(default=400_000)
    completion_tokens_per_day = models.PositiveBigIntegerField(default=30_000)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="plan_baseline_breaks_ties_where_there_is_one",
                condition=~Q(tie_break="baseline") | Q(baseline__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"plan of {self.pilot_id}"
