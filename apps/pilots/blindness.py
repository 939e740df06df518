"""What must not be told of a pilot's calls while nobody may know who answered them."""

from typing import Final

from apps.pilots.models import Pilot, Rotation

# The alias of calls made for blind comparisons, and of those for the screening's side by side.
COMPARED: Final = "compare"
SCREENED: Final = "side-by-side"


def is_unblinded(pilot: Pilot) -> bool:
    """Tell whether everybody may know: after a logged unblinding, or at the end."""
    return pilot.unblinded_at is not None or pilot.closed_at is not None


def blind_aliases(pilot: Pilot) -> frozenset[str]:
    """Return the names whose calls tell nobody who answered; none once that may be known."""
    if is_unblinded(pilot):
        return frozenset()
    aliases = Rotation.objects.filter(pilot=pilot).values_list("alias", flat=True)
    return frozenset(aliases) | {COMPARED}
