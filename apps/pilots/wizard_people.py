"""The third step of a pilot's plan: who takes part, by list and by link, and what they are asked.

A link is shown in the answer to its form, and never again.
"""

from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import mail
from apps.accounts.access import ADMINS, allow, signed_in
from apps.pilots import join_links, plans
from apps.pilots.forms import EnrollForm, InviteToPilotForm
from apps.pilots.invitations import invite_to_pilot
from apps.pilots.join_views import address_of
from apps.pilots.models import JoinLink, Pilot
from apps.pilots.plan_forms import JoinLinkForm, PrivacyForm, privacy_initial
from apps.pilots.plan_queries import open_join_links, plan_of
from apps.pilots.queries import participants
from apps.pilots.refusals import attempt
from apps.pilots.wizard import by, go_on, step_page

USES_AT_LEAST = 10


@require_http_methods(["GET", "HEAD", "POST"])
@allow(ADMINS)
def plan_people(request: HttpRequest, slug: str) -> HttpResponse:
    """What people are asked and who sees it; with the ways in beside it."""
    pilot = get_object_or_404(Pilot, slug=slug)
    form = PrivacyForm(request.POST or None, initial=privacy_initial(pilot))
    if form.is_valid():
        told = form.told() | by(request)
        if attempt(form, lambda: (plans.choose_privacy(pilot=pilot, **told), True)) is not None:
            messages.success(request, "Saved.")
            return go_on(request, pilot, "people")
    return _people_page(request, pilot, {"form": form})


@require_POST
@allow(ADMINS)
@never_cache
def plan_invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Enroll by e-mail, inviting those who are new, and show their links this once."""
    pilot = get_object_or_404(Pilot, slug=slug)
    form, admin = InviteToPilotForm(request.POST), signed_in(request)
    if form.is_valid():
        emails, now = form.cleaned_data["emails"], timezone.now()
        outcome = attempt(
            form,
            lambda: invite_to_pilot(pilot=pilot, emails=emails, by=admin.person, now=now),
        )
        if outcome is not None:
            letters, is_set_up = outcome.letters, mail.is_set_up()
            told = {"letters": letters, "mail": is_set_up, "enrolled": outcome.enrolled}
            told["sent"] = (
                bool(letters)
                and is_set_up
                and mail.send_invitations(letters, inviter=admin.display_name)
            )
            return _people_page(request, pilot, {"outcome": told})
    return _people_page(request, pilot, {"invite_form": form})


@require_POST
@allow(ADMINS)
@never_cache
def make_join_link(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a link by which people join, and show it this once."""
    pilot = get_object_or_404(Pilot, slug=slug)
    form = JoinLinkForm(request.POST)
    if form.is_valid():
        told = form.told() | by(request)
        made = attempt(form, lambda: join_links.make_join_link(pilot=pilot, **told))
        if made is not None:
            return _people_page(request, pilot, {"new_link": address_of(made[1])})
    return _people_page(request, pilot, {"link_form": form})


@require_POST
@allow(ADMINS)
def revoke_join_link(request: HttpRequest, slug: str, link_id: int) -> HttpResponse:
    links = JoinLink.objects.select_related("pilot")
    link = get_object_or_404(links, id=link_id, pilot__slug=slug)
    join_links.revoke_join_link(link=link, **by(request))
    messages.success(request, "The link is revoked; who joined by it stays.")
    return redirect("plan_people", slug)


def _people_page(request: HttpRequest, pilot: Pilot, told: dict[str, Any]) -> HttpResponse:
    """A form that was refused stands in the place of a fresh one."""
    now = timezone.now()
    expected = max(plan_of(pilot).people_expected, USES_AT_LEAST)
    fresh: dict[str, Form] = {
        "form": PrivacyForm(initial=privacy_initial(pilot)),
        "invite_form": InviteToPilotForm(),
        "enroll_form": EnrollForm(pilot=pilot),
        "link_form": JoinLinkForm(initial={"most_uses": expected}),
    }
    context = {
        "people": participants(pilot, now=now),
        "links": open_join_links(pilot, now=now),
        "has_mail": mail.is_set_up(),
    }
    return step_page(request, pilot, "people", fresh | context | told)
