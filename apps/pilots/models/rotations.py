"""Blind aliases: who takes turns behind them, since when, and who was sent away for a day."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Person
from apps.catalog.models import Candidate, Residence
from apps.core.rotation import Era
from apps.pilots.models.pilots import ALIAS, Pilot
from apps.pilots.models.plans import UseRole


class Rotation(models.Model):
    """One blind alias of a pilot, for one role. The seed alone decides whose turn it is.

    `residence` is the class of place that code goes to, as people were told when it began; empty
    for rotations older than the field.
    """

    pilot = models.ForeignKey(Pilot, on_delete=models.PROTECT, related_name="rotations")
    role = models.CharField(max_length=16, choices=UseRole)
    alias = models.CharField(max_length=63, validators=[RegexValidator(ALIAS)])
    seed = models.CharField(max_length=64)
    residence = models.CharField(max_length=16, choices=Residence, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="rotation_one_per_role",
                fields=["pilot", "role"],
                condition=Q(ended_at__isnull=True),
            ),
            # A name means the same for good: stored calls are blind by it.
            models.UniqueConstraint(name="rotation_alias_once", fields=["pilot", "alias"]),
        ]

    def __str__(self) -> str:
        return self.alias

    def known_eras(self) -> tuple[Era, ...]:
        """All eras, the first one first; reads `eras`, which may be prefetched."""
        eras = (Era(era.first_day, tuple(era.candidate_ids)) for era in self.eras.all())
        return tuple(sorted(eras, key=lambda era: era.first_day))


class RotationEra(models.Model):
    """From a working day on, these candidates take turns. Past eras never change."""

    rotation = models.ForeignKey(Rotation, on_delete=models.PROTECT, related_name="eras")
    first_day = models.DateField()
    candidate_ids = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="rotationera_once", fields=["rotation", "first_day"])
        ]

    def __str__(self) -> str:
        return f"{self.rotation_id} from {self.first_day}"


class Swap(models.Model):
    """ "Not this one today": a rejection of whom the day had assigned, once a day."""

    rotation = models.ForeignKey(Rotation, on_delete=models.PROTECT, related_name="swaps")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="swaps")
    day = models.DateField()
    assigned = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="+")
    chosen = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="swap_once_a_day", fields=["rotation", "person", "day"]),
            models.CheckConstraint(name="swap_is_for_another", condition=~Q(assigned=F("chosen"))),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.day}"
