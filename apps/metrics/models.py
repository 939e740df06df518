"""Derived rows: quarter-hours, exact in every time zone, and days of the site's zone.

Nothing here is ever incremented: a slice is deleted and inserted whole, so twice equals once. Days
are sums of quarter-hours. Every sum on a page comes from here.
"""

from typing import Final

from django.db import models

from apps.core.money import MONEY_DIGITS, MONEY_PLACES

FIRST_CONTENT: Final = 1
TOTAL: Final = 2


def money() -> "models.DecimalField[object, object]":
    return models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES, default=0)


class Usage(models.Model):
    """Calls of one person with one candidate on one task. Sums of milliseconds, tokens and USD.

    `generation_ms` and `generation_tokens` cover finished calls whose speed is known: the time from
    first content to the end, and the tokens made in it. `uncosted` calls are in no sum of money, so
    their tokens and their rateable answers are told apart from those that are.
    """

    pilot_id = models.BigIntegerField()
    candidate_id = models.BigIntegerField()
    person_id = models.BigIntegerField()
    task = models.CharField(max_length=16)
    calls = models.IntegerField()
    ok = models.IntegerField()
    cancelled = models.IntegerField()
    failed = models.IntegerField()
    uncosted = models.IntegerField()
    uncosted_tokens = models.BigIntegerField(default=0)
    uncosted_rateable = models.IntegerField(default=0)
    estimated = models.IntegerField()
    prompt_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    completion_tokens = models.BigIntegerField()
    token_usd = money()
    hosting_usd = money()
    total_ms = models.BigIntegerField()
    generation_ms = models.BigIntegerField()
    generation_tokens = models.BigIntegerField()
    rateable = models.IntegerField()
    rated = models.IntegerField()
    liked = models.IntegerField()
    stars = models.IntegerField()
    stars_sum = models.IntegerField()

    class Meta:
        abstract = True


class QuarterUsage(Usage):
    quarter = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="quarterusage_once",
                fields=["pilot_id", "quarter", "candidate_id", "person_id", "task"],
            )
        ]
        indexes = [models.Index(fields=["quarter"], name="quarterusage_by_quarter")]

    def __str__(self) -> str:
        return f"{self.quarter} pilot {self.pilot_id} candidate {self.candidate_id}"


class DayUsage(Usage):
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="dayusage_once",
                fields=["pilot_id", "day", "candidate_id", "person_id", "task"],
            )
        ]
        indexes = [models.Index(fields=["day"], name="dayusage_by_day")]

    def __str__(self) -> str:
        return f"{self.day} pilot {self.pilot_id} candidate {self.candidate_id}"


class Latency(models.Model):
    """How many finished calls fell within a logarithmic bucket; see histogram.py for its bounds."""

    pilot_id = models.BigIntegerField()
    candidate_id = models.BigIntegerField()
    task = models.CharField(max_length=16)
    measure = models.SmallIntegerField(choices=[(FIRST_CONTENT, "first content"), (TOTAL, "total")])
    bucket = models.SmallIntegerField()
    calls = models.IntegerField()

    class Meta:
        abstract = True


class QuarterLatency(Latency):
    quarter = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="quarterlatency_once",
                fields=["pilot_id", "quarter", "candidate_id", "task", "measure", "bucket"],
            )
        ]
        indexes = [models.Index(fields=["quarter"], name="quarterlatency_by_quarter")]

    def __str__(self) -> str:
        return f"{self.quarter} candidate {self.candidate_id} bucket {self.bucket}"


class DayLatency(Latency):
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="daylatency_once",
                fields=["pilot_id", "day", "candidate_id", "task", "measure", "bucket"],
            )
        ]
        indexes = [models.Index(fields=["day"], name="daylatency_by_day")]

    def __str__(self) -> str:
        return f"{self.day} candidate {self.candidate_id} bucket {self.bucket}"


class Hosting(models.Model):
    """What a candidate's machines cost: the part its calls took, and the part that stood idle.

    Idle time is shared equally among the pilots that had the candidate on trial; without any, the
    pilot is null and no pilot pays.
    """

    pilot_id = models.BigIntegerField(null=True)
    candidate_id = models.BigIntegerField()
    busy_usd = money()
    idle_usd = money()

    class Meta:
        abstract = True


class QuarterHosting(Hosting):
    quarter = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="quarterhosting_once",
                fields=["pilot_id", "quarter", "candidate_id"],
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["quarter"], name="quarterhosting_by_quarter")]

    def __str__(self) -> str:
        return f"{self.quarter} candidate {self.candidate_id}"


class DayHosting(Hosting):
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="dayhosting_once",
                fields=["pilot_id", "day", "candidate_id"],
                nulls_distinct=False,
            )
        ]
        indexes = [models.Index(fields=["day"], name="dayhosting_by_day")]

    def __str__(self) -> str:
        return f"{self.day} candidate {self.candidate_id}"


class Generation(models.Model):
    """How often a pilot's slices were rebuilt. Pages use it as their ETag and cache key."""

    pilot_id = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField(default=0)
    rebuilt_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.pilot_id}: {self.number}"


class StoredFinding(models.Model):
    """One role's finding as `findings.py` writes it. Pages read this; nothing computes for a page.

    `evidence` is the digest of what it was computed from: without a change there is nothing new to
    find. A frozen finding never changes; `withdrawn_since` counts what was taken back after it.
    """

    pilot_id = models.BigIntegerField()
    role = models.CharField(max_length=16)
    measure = models.CharField(max_length=16)
    computed_at = models.DateTimeField()
    evidence = models.CharField(max_length=64)
    result = models.JSONField()
    is_frozen = models.BooleanField(default=False)
    withdrawn_since = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="storedfinding_one_per_role", fields=["pilot_id", "role"]),
            models.CheckConstraint(
                name="storedfinding_counts_from_nothing",
                condition=models.Q(withdrawn_since__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} in {self.pilot_id}"
