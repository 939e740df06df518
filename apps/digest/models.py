from django.conf import settings
from django.db import models

from apps.pilots.models import Pilot


class Delivery(models.Model):
    """One weekly summary to one reader. Claimed by a conditional update, so it is sent once."""

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="+")
    week = models.DateField(help_text="The Monday that the summarized week begins on.")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="delivery_once_per_pilot_week_and_recipient",
                fields=["pilot", "week", "recipient"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.pilot_id} {self.week} to {self.recipient_id}"
