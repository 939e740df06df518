"""What raters are not told of their calls while nobody may know who answered them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from apps.feedback.models import Rating
from apps.pilots.blindness import blind_aliases_by_pilot
from apps.pilots.models import Pilot
from apps.usage.models import Call
from apps.usage.veil import TOLD


class Veil:
    """What is hidden of the calls of some pilots. One query, however many there are."""

    def __init__(self, pilots: Iterable[Pilot]) -> None:
        self._aliases = blind_aliases_by_pilot(pilots)

    def hides(self, pilot_id: int, alias: str | None) -> bool:
        """Tell whether a call is blind; one whose alias nobody knows any more is."""
        aliases = self._aliases.get(pilot_id)
        if aliases is None:
            return True
        return bool(aliases) and (alias is None or alias in aliases)

    def is_down(self, pilot_id: int) -> bool:
        """Tell whether a pilot's blind answers are blind still."""
        return self._aliases.get(pilot_id) != frozenset()

    def aliases(self, pilot_id: int) -> frozenset[str]:
        return self._aliases.get(pilot_id, frozenset())

    def told(self, call: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of a call that its maker may know."""
        if not self.hides(call["pilot_id"], call["alias"]):
            return dict(call)
        return {name: call[name] for name in TOLD}


def with_alias(ratings: QuerySet[Rating]) -> QuerySet[Any]:
    """Add the model name that each rated call had asked for; None where the call is gone."""
    calls = Call.objects.filter(
        pilot_id=OuterRef("pilot_id"),
        # Tells the database which month's table to look in.
        admitted_at=OuterRef("call_admitted_at"),
        id=OuterRef("call_id"),
    )
    return ratings.annotate(alias=Subquery(calls.values("alias")[:1]))
