""" "Not this one today", wherever a developer is when an assistant is no help."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.core.pages import is_fragment, render_page
from apps.pilots.models import Pilot, Rotation
from apps.pilots.queries import pilot_or_404
from apps.pilots.rotations import RotationEnded
from apps.pilots.swaps import NobodyElse, NotInThePilot, SwappedToday, swap
from apps.pilots.trail import PilotClosed

REFUSALS: Final[dict[type[Exception], str]] = {
    PilotClosed: "This pilot is closed.",
    RotationEnded: "This model name has no turns any more.",
    NotInThePilot: "You do not take part in this pilot, or it is not running now.",
    SwappedToday: "You have had another one today already: once a day is the most.",
    NobodyElse: "There is nobody else to answer you today.",
}
DONE: Final = "Another one answers you now, until the next working day. Nobody learns which."


@require_POST
@allow(DEVELOPERS)
def not_this_one(request: HttpRequest, slug: str, alias: str) -> HttpResponse:
    """Have another candidate answer the reader today behind an alias."""
    pilot, now = pilot_or_404(request, slug), timezone.now()
    rotation = get_object_or_404(Rotation.objects.select_related("pilot"), pilot=pilot, alias=alias)
    said, is_done = DONE, True
    try:
        swap(rotation=rotation, person=signed_in(request).person, now=now)
    except tuple(REFUSALS) as refusal:
        said, is_done = REFUSALS[type(refusal)], False
    if not is_fragment(request):
        (messages.success if is_done else messages.error)(request, said)
        return redirect(_back(request, pilot))
    context = {"pilot": pilot, "now": now, "said": said, "is_done": is_done}
    page = "pilots/_not_this_one.html"
    return render_page(request, page, context, fragment=page, zone=pilot.zone_info)


def _back(request: HttpRequest, pilot: Pilot) -> str:
    url = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        return url
    return reverse("connect", args=[pilot.slug])
