"""What the team has already and does not pass our endpoint, such as Copilot."""

from django.db import models
from django.db.models import Q

from apps.core.money import MONEY_DIGITS, MONEY_PLACES
from apps.pilots.models.pilots import Pilot


class Incumbent(models.Model):
    """A tool that the team pays for by the seat. Never blind, never randomised."""

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="incumbents")
    name = models.CharField(max_length=120)
    seats = models.PositiveIntegerField()
    usd_per_seat_month = models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="incumbent_costs_no_less_than_nothing",
                condition=Q(usd_per_seat_month__gte=0),
            ),
            models.UniqueConstraint(
                name="incumbent_named_once",
                fields=["pilot", "name"],
                condition=Q(removed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IncumbentDay(models.Model):
    """What an incumbent reports of one day; null is what it does not tell. Repeat = update."""

    incumbent = models.ForeignKey(Incumbent, on_delete=models.PROTECT, related_name="days")
    day = models.DateField()
    active_people = models.PositiveIntegerField(null=True, blank=True)
    shown = models.PositiveIntegerField(null=True, blank=True)
    accepted = models.PositiveIntegerField(null=True, blank=True)
    chats = models.PositiveIntegerField(null=True, blank=True)
    source = models.CharField(max_length=40)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="incumbentday_once", fields=["incumbent", "day"]),
            models.CheckConstraint(
                name="incumbentday_accepts_what_was_shown",
                condition=Q(accepted__isnull=True)
                | Q(shown__isnull=False, accepted__lte=models.F("shown")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incumbent_id} on {self.day}"
