"""One prompt, answered by several candidates: blind by two, or side by side in the screening."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from apps.accounts.models import Person
from apps.pilots.models import UseRole


class Outcome(models.TextChoices):
    """What a rater said of two answers. Both bad is a tie between them, and is told apart."""

    LEFT = "left", "The left one is better"
    RIGHT = "right", "The right one is better"
    TIE = "tie", "A tie"
    BOTH_BAD = "both_bad", "Both are bad"


class Comparison(models.Model):
    """A prompt of a person's own and what they said of its answers.

    `prompt` and the answers' texts are MultiFernet tokens; they are emptied at `expires_at`, and
    the vote stays. A comparison in the screening is not blind and may name a winner.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    pilot_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="comparisons")
    role = models.CharField(max_length=16, choices=UseRole, default=UseRole.CHAT)
    is_blind = models.BooleanField()
    prompt = models.TextField(blank=True)
    created_at = models.DateTimeField()
    # When all answers were there; without it, they are on their way, or some of them failed.
    ready_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    # Of a screening: who answered best, if anybody did.
    winner_id = models.BigIntegerField(null=True, blank=True)
    voted_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["pilot_id", "person", "-created_at"], name="comparison_by_one"),
            models.Index(fields=["expires_at"], name="comparison_by_expiry"),
        ]
        constraints = [
            models.CheckConstraint(
                name="comparison_votes_when_ready",
                condition=Q(voted_at__isnull=True) | Q(ready_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class ComparedAnswer(models.Model):
    """One candidate's answer. `side` is where it is shown: 0 is the left one. Times are ms.

    `names_itself` flags an answer whose text names a model or a vendor: its vote is told apart.
    """

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="answers")
    candidate_id = models.BigIntegerField()
    side = models.PositiveSmallIntegerField()
    call_id = models.UUIDField(null=True, blank=True)
    text = models.TextField(blank=True)
    length = models.PositiveIntegerField(default=0)
    names_itself = models.BooleanField(default=False)
    first_content_ms = models.PositiveIntegerField(null=True, blank=True)
    total_ms = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="comparedanswer_once_a_side", fields=["comparison", "side"]
            ),
            models.UniqueConstraint(
                name="comparedanswer_once_a_candidate", fields=["comparison", "candidate_id"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.comparison_id} side {self.side}"


class VoteRevision(models.Model):
    """What a comparison's vote was before it was changed or withdrawn."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="revisions")
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)
    winner_id = models.BigIntegerField(null=True, blank=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.comparison_id} until {self.until:%Y-%m-%d %H:%M}"
