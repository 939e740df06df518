"""What an editor reports of what was done with answers. Never code, paths or repositories."""

from django.db import models

from apps.accounts.models import Person
from apps.pilots.models import UseRole


class IdeEvent(models.Model):
    """One event of an editor, stored once however often it is sent.

    `kind` is the event's name as the editor gives it. `candidate_id` is whom the day had assigned
    to the alias, or whom the alias stands for; null where the model is none of the pilot's.
    `is_accepted` is null for what is neither accepted nor rejected; of a chat's thumbs, whether it
    was up. `day` is the working day. `call_id` is the call that it was joined to.
    """

    pilot_id = models.BigIntegerField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="ide_events")
    key_id = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    schema = models.CharField(max_length=16)
    at = models.DateTimeField()
    day = models.DateField()
    received_at = models.DateTimeField()
    alias = models.CharField(max_length=255, blank=True)
    role = models.CharField(max_length=16, choices=UseRole, blank=True)
    candidate_id = models.BigIntegerField(null=True, blank=True)
    is_blind = models.BooleanField(default=False)
    is_local = models.BooleanField(default=False)
    is_accepted = models.BooleanField(null=True, blank=True)
    language = models.CharField(max_length=32, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True, blank=True)
    generated_tokens = models.PositiveIntegerField(null=True, blank=True)
    tool = models.CharField(max_length=80, blank=True)
    has_succeeded = models.BooleanField(null=True, blank=True)
    call_id = models.UUIDField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="ideevent_once", fields=["person", "digest"])]
        indexes = [
            models.Index(fields=["pilot_id", "kind", "day"], name="ideevent_by_day"),
            models.Index(fields=["person", "-at"], name="ideevent_by_person"),
            # Of many events few wait for their call, and those are asked for every few seconds.
            models.Index(
                fields=["received_at"],
                name="ideevent_unjoined",
                condition=models.Q(call_id__isnull=True, kind__in=["chatFeedback", "toolUsage"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M}"
