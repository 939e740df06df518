"""The page of one's own trend, and of what one's answers changed."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.core.pages import render_page
from apps.feedback import own_votes
from apps.feedback.trend import drawn
from apps.pilots.blindness import is_unblinded
from apps.pilots.queries import enrollment_of, pilot_or_404


@require_safe
@allow(DEVELOPERS)
def my_votes(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the reader their own answers, and of others sums over five people and more."""
    pilot, user, now = pilot_or_404(request, slug), signed_in(request), timezone.now()
    whose: dict[str, Any] = {"person": user.person, "pilot": pilot}
    days = own_votes.own_days(**whose, now=now)
    ratings, change = own_votes.rating_share(**whose)
    context = {
        "pilot": pilot,
        "is_enrolled": enrollment_of(user, pilot) is not None,
        "is_unblinded": is_unblinded(pilot),
        "days": [day for day in days if day.rated or day.daily is not None],
        "first_day": days[0].day if days else None,
        "last_day": days[-1].day if days else None,
        "trend": drawn(days),
        "ratings": ratings,
        "change": change,
        "daily": own_votes.daily_share(**whose),
        "comparisons": own_votes.comparison_share(**whose),
        "rows": own_votes.votes_by_candidate(**whose),
        "blind_votes": own_votes.blind_votes(**whose),
        "sample": own_votes.own_sample(**whose),
    }
    page = "feedback/my_votes.html"
    return render_page(request, page, context, fragment=page, zone=pilot.zone_info)
