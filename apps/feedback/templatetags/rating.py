"""The tabs of the developer's Rate section, for every page in it."""

from django import template

from apps.feedback.tabs import Tab, tabs_of
from apps.pilots.models import Pilot

register = template.Library()


@register.simple_tag
def rate_tabs(pilot: Pilot, current: str) -> list[Tab]:
    """Give the tabs of a pilot; `current` is the name of the URL in view."""
    return tabs_of(pilot, current)
