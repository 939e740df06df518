"""Calls as they were observed. Raw facts: inserted once, changed only in what is derived from them.

The table is partitioned by month and keyed by (pilot_id, admitted_at, id) in the database; Django
knows the id alone. Its SQL stands in the first migration.
"""

from django.db import models

from apps.core.money import MONEY_DIGITS, MONEY_PLACES


class Call(models.Model):
    """One call that was let through to a provider. The columns are those of the call record.

    `cost_usd` and `price_id` alone are derived: set by the drain, and again by repricing. A call
    without a cost is uncosted, never free.
    """

    id = models.UUIDField(primary_key=True)
    admitted_at = models.DateTimeField()
    pilot_id = models.BigIntegerField()
    person_id = models.BigIntegerField()
    key_id = models.BigIntegerField(null=True)
    candidate_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    alias = models.TextField()
    endpoint = models.TextField()
    task = models.TextField()
    source = models.TextField()
    session = models.TextField()
    outcome = models.TextField()
    status = models.SmallIntegerField(null=True)
    streamed = models.BooleanField()
    rateable = models.BooleanField()
    first_byte_ms = models.IntegerField(null=True)
    first_content_ms = models.IntegerField(null=True)
    total_ms = models.IntegerField(null=True)
    overhead_us = models.IntegerField(null=True)
    prompt_tokens = models.BigIntegerField(null=True)
    cached_tokens = models.BigIntegerField(null=True)
    completion_tokens = models.BigIntegerField(null=True)
    usage_source = models.TextField()
    finish_reason = models.TextField()
    tool_calls = models.IntegerField()
    error = models.TextField()
    attempts = models.JSONField()
    request_bytes = models.BigIntegerField(null=True)
    response_bytes = models.BigIntegerField(null=True)
    client_request_id = models.TextField()
    upstream_request_id = models.TextField()
    client = models.TextField()
    client_retry = models.SmallIntegerField(null=True)
    assigned_candidate_id = models.BigIntegerField(null=True)
    stored_at = models.DateTimeField(db_default=models.functions.Now())
    price_id = models.BigIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES, null=True)

    def __str__(self) -> str:
        return str(self.id)


class DeadLetter(models.Model):
    """A record that could not be stored, kept whole with its reason until someone settles it."""

    received_at = models.DateTimeField()
    entry_id = models.CharField(max_length=64, unique=True)
    reason = models.TextField()
    raw = models.BinaryField()
    settled_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.received_at:%Y-%m-%d %H:%M} {self.reason[:60]}"
