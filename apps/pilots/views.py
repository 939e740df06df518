"""A developer's own keys."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.core.pages import render_page
from apps.pilots import actions
from apps.pilots.forms import KeyForm
from apps.pilots.models import Enrollment, Pilot
from apps.pilots.queries import enrollment_of, keys_of, pilot_or_404
from apps.pilots.refusals import attempt
from apps.pilots.refused import refused_today


@require_http_methods(["GET", "HEAD", "POST"])
@allow(DEVELOPERS)
@never_cache
def keys(request: HttpRequest, slug: str) -> HttpResponse:
    """One's own keys of a pilot. A new one is shown in the answer to its form, and never again."""
    pilot = pilot_or_404(request, slug)
    enrollment = enrollment_of(signed_in(request), pilot)
    if enrollment is None or request.method != "POST":
        return _keys_page(request, pilot, enrollment, KeyForm(), "")
    form, now, plain = KeyForm(request.POST), timezone.now(), ""
    if form.is_valid():
        name, actor = form.cleaned_data["name"], enrollment.person
        issued = attempt(
            form,
            lambda: actions.issue_key(enrollment=enrollment, name=name, now=now, actor=actor),
        )
        if issued is not None:
            form, plain = KeyForm(), issued[1]
    return _keys_page(request, pilot, enrollment, form, plain)


@require_POST
@allow(DEVELOPERS)
@never_cache
def revoke_key(request: HttpRequest, slug: str, key_id: int) -> HttpResponse:
    """Revoke a key of one's own, at once."""
    pilot = pilot_or_404(request, slug)
    enrollment = enrollment_of(signed_in(request), pilot)
    if enrollment is None:
        raise Http404
    key = get_object_or_404(keys_of(enrollment), id=key_id)
    actions.revoke_key(key=key, now=timezone.now(), actor=enrollment.person)
    if getattr(request, "htmx", None):
        return _keys_page(request, pilot, enrollment, KeyForm(), "")
    messages.success(request, f"The key {key.hint} is revoked.")
    return redirect("keys", slug)


def _keys_page(
    request: HttpRequest, pilot: Pilot, enrollment: Enrollment | None, form: KeyForm, plain: str
) -> HttpResponse:
    now, keys = timezone.now(), list(keys_of(enrollment)) if enrollment else []
    context = {
        "pilot": pilot,
        "enrollment": enrollment,
        "keys": keys,
        "refused": refused_today(keys, now=now),
        "key_form": form,
        "plain": plain,
        "now": now,
    }
    return render_page(
        request, "pilots/keys.html", context, fragment="pilots/_keys.html", zone=pilot.zone_info
    )
