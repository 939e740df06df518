"""What people say about answers."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.accounts.models import Person
from apps.pilots.models import RatingScale


class Rating(models.Model):
    """One person's rating of one call: thumbs (0 or 1) or stars (1 to 5). Repeat = update.

    Liked = thumbs up, or four stars and more. A withdrawn rating counts nowhere.
    """

    call_id = models.UUIDField()
    call_admitted_at = models.DateTimeField()
    pilot_id = models.BigIntegerField()
    candidate_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="ratings")
    scale = models.CharField(max_length=8, choices=RatingScale)
    score = models.SmallIntegerField()
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    comment = models.TextField(blank=True)
    via = models.CharField(max_length=16)
    rated_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="rating_once_per_call_and_person", fields=["call_id", "person"]
            ),
            models.CheckConstraint(
                name="rating_score_fits_scale",
                condition=Q(scale="thumbs", score__in=[0, 1])
                | Q(scale="stars", score__gte=1, score__lte=5),
            ),
        ]
        indexes = [
            models.Index(fields=["call_admitted_at", "call_id"], name="rating_by_call_time"),
            models.Index(fields=["person", "-updated_at", "-id"], name="rating_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.scale} {self.score} on {self.call_id}"


class RatingRevision(models.Model):
    """What a rating said before it was changed or withdrawn."""

    rating = models.ForeignKey(Rating, on_delete=models.CASCADE, related_name="revisions")
    score = models.SmallIntegerField()
    scale = models.CharField(max_length=8, choices=RatingScale)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    comment = models.TextField(blank=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.rating_id} until {self.until:%Y-%m-%d %H:%M}"


class WaitingRating(models.Model):
    """A rating of a call that has not been stored yet; attached, or forgotten after a day."""

    call_id = models.UUIDField()
    pilot_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    score = models.SmallIntegerField()
    scale = models.CharField(max_length=8, choices=RatingScale)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    comment = models.TextField(blank=True)
    via = models.CharField(max_length=16)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="waitingrating_once_per_call_and_person", fields=["call_id", "person"]
            )
        ]

    def __str__(self) -> str:
        return f"waiting for {self.call_id}"
