"""What must not be told of a pilot's calls while nobody may know who answered them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from apps.pilots.models import Pilot, Rotation, RotationEra

# The alias of calls made for blind comparisons, and of those for the screening's side by side.
COMPARED: Final = "compare"
SCREENED: Final = "side-by-side"


def is_unblinded(pilot: Pilot) -> bool:
    """Tell whether everybody may know: after a logged unblinding, or at the end."""
    return pilot.unblinded_at is not None or pilot.closed_at is not None


def blind_aliases(pilot: Pilot) -> frozenset[str]:
    """Return the names whose calls tell nobody who answered; none once that may be known."""
    return blind_aliases_by_pilot([pilot])[pilot.id]


def blind_aliases_by_pilot(pilots: Iterable[Pilot]) -> dict[int, frozenset[str]]:
    """Return the same for several pilots, by their ids. One query."""
    is_known = {pilot.id: is_unblinded(pilot) for pilot in pilots}
    sealed = [pilot_id for pilot_id, known in is_known.items() if not known]
    rotations = Rotation.objects.filter(pilot_id__in=sealed)
    aliases = defaultdict(set)
    for pilot_id, alias in rotations.values_list("pilot_id", "alias"):
        aliases[pilot_id].add(alias)
    return {
        pilot_id: frozenset() if known else frozenset(aliases[pilot_id] | {COMPARED})
        for pilot_id, known in is_known.items()
    }


def hidden_candidates(pilot: Pilot) -> frozenset[int]:
    """Return who takes turns behind blind names, or did: to raters they have no name. One query."""
    if is_unblinded(pilot):
        return frozenset()
    eras = RotationEra.objects.filter(rotation__pilot=pilot)
    return frozenset(id_ for ids in eras.values_list("candidate_ids", flat=True) for id_ in ids)
