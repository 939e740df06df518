"""Markers of what must be computed again, so that lower apps need not know upper ones."""

from django.db import models


class DirtySlice(models.Model):
    """A quarter-hour whose derived rows are out of date. Append-only; a rebuild deletes exactly
    the markers it has read."""

    quarter = models.DateTimeField()
    marked_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        indexes = [models.Index(fields=["quarter"], name="dirtyslice_by_quarter")]

    def __str__(self) -> str:
        return f"{self.quarter:%Y-%m-%d %H:%M}"


class RoutesVersion(models.Model):
    """The version of the routes that the database describes; one row. Every change raises it."""

    version = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="routesversion_is_one_row", condition=models.Q(id=1))
        ]

    def __str__(self) -> str:
        return str(self.version)


class JobClaim(models.Model):
    """That a periodic job has been taken for a period; whoever inserts the row runs it."""

    job = models.CharField(max_length=64)
    period = models.CharField(max_length=64)
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="jobclaim_once_per_period", fields=["job", "period"])
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.period}"
