"""What people are told by mail of the end of a pilot."""

from django.conf import settings
from django.db import models

from apps.pilots.models.pilots import Pilot


class LetterKind(models.TextChoices):
    ANNOUNCED = "announced", "It will close"
    CALLED_OFF = "called_off", "It will not close then"
    CLOSED = "closed", "It was closed at once"


class ClosingLetter(models.Model):
    """One mail to one person who takes part. Claimed by a conditional update, so it is sent once.

    `closes_at` is what was announced or called off, or when it was closed.
    """

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=LetterKind)
    closes_at = models.DateTimeField()
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="closingletter_once",
                fields=["pilot", "recipient", "kind", "created_at"],
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="closingletter_to_send",
                condition=models.Q(sent_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient_id}"
