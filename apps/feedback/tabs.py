"""Which pages the Rate section of a pilot has."""

from dataclasses import dataclass

from django.urls import reverse

from apps.pilots.models import Pilot, Stage


@dataclass(frozen=True, slots=True)
class Tab:
    """One link of a tab bar."""

    label: str
    url: str
    current: bool


def tabs_of(pilot: Pilot, current: str) -> list[Tab]:
    """Return the pages in their order; in the screening answers are compared side by side."""
    compared = (
        ("side_by_side", "Side by side")
        if pilot.stage == Stage.SCREENING
        else ("blind", "Compare blind")
    )
    pages = [("today", "Today"), ("rate", "Answers"), compared, ("my_votes", "My votes")]
    return [Tab(label, reverse(name, args=[pilot.slug]), name == current) for name, label in pages]
