"""Model names that developers send."""

from apps.catalog.models import Candidate
from apps.pilots.models import ALIAS


def alias_for(candidate: Candidate) -> str:
    """Return a model name made from a candidate's slug; editors mishandle some, see ALIAS."""
    slug = candidate.slug.lower()[:63]
    return slug if ALIAS.fullmatch(slug) else f"pilot-{slug}"[:63]
