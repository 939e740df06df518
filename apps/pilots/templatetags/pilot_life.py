"""What pages of other apps show of a pilot's life, by including a fragment of this app."""

from django import template
from django.utils import timezone

from apps.accounts.access import signed_in
from apps.pilots.swaps import Choice, choices

register = template.Library()


@register.simple_tag(takes_context=True)
def swap_choices(context: template.Context) -> list[Choice]:
    """Give what the reader may send away today in the pilot in view."""
    user, now = signed_in(context["request"]), context.get("now") or timezone.now()
    return choices(pilot=context["pilot"], person=user.person, now=now)
