"""What administrators do with people, and the trail of what anybody changed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import actions, departures, mail
from apps.accounts.access import ADMINS, allow, signed_in
from apps.accounts.forms import DeletePersonForm, InviteForm, RoleForm
from apps.accounts.models import Invitation, User
from apps.accounts.queries import audit_page, pending_invitations, user_row, users

THE_LAST = "This is the last administrator. Make somebody else one first."


@require_safe
@allow(ADMINS)
def setup_people(request: HttpRequest) -> HttpResponse:
    """Everybody who signs in, and the invitations that wait."""
    return _people_page(request, InviteForm())


@require_http_methods(["POST"])
@allow(ADMINS)
@never_cache
def invite_people(request: HttpRequest) -> HttpResponse:
    """Invite people, and show their links this once."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _people_page(request, form)
    letters, taken = _invited(form, signed_in(request))
    sent = mail.is_set_up() and mail.send_invitations(
        letters, inviter=signed_in(request).display_name
    )
    outcome = {"letters": letters, "taken": taken, "sent": sent, "mail": mail.is_set_up()}
    return _people_page(request, InviteForm(), outcome)


def _invited(form: InviteForm, by: User) -> tuple[list[mail.Letter], list[str]]:
    letters, taken = [], []
    for email in form.cleaned_data["emails"]:
        try:
            invitation, token = actions.invite(
                email=email,
                role=form.cleaned_data["role"],
                invited_by=by.person,
                now=timezone.now(),
            )
        except actions.EmailTaken:
            taken.append(email)
        else:
            letters.append(mail.letter(invitation, token))
    return letters, taken


def _people_page(
    request: HttpRequest, form: InviteForm, outcome: dict[str, object] | None = None
) -> HttpResponse:
    context = {
        "people": users(you=signed_in(request)),
        "invitations": pending_invitations(now=timezone.now()),
        "form": form,
        "outcome": outcome,
    }
    return render(request, "accounts/setup_people.html", context)


@require_POST
@allow(ADMINS)
def revoke_invitation(request: HttpRequest, invitation_id: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, id=invitation_id)
    try:
        actions.revoke_invitation(
            invitation=invitation, actor=signed_in(request).person, now=timezone.now()
        )
    except actions.InvitationNotOpen:
        messages.info(request, "That invitation was not open any more.")
    else:
        messages.success(request, f"The invitation of {invitation.email} is revoked.")
    return redirect("setup_people")


@require_safe
@allow(ADMINS)
def setup_person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One user: role, access, deletion."""
    user = get_object_or_404(User, id=user_id)
    return _person_page(request, user, DeletePersonForm(user=user))


@require_POST
@allow(ADMINS)
def change_role(request: HttpRequest, user_id: int) -> HttpResponse:
    user = get_object_or_404(User, id=user_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            departures.change_role(
                user=user,
                role=form.cleaned_data["role"],
                actor=signed_in(request).person,
                now=timezone.now(),
            )
            messages.success(request, f"{user.display_name} has a new role.")
        except departures.LastAdministrator:
            messages.error(request, THE_LAST)
    return redirect("setup_person", user_id)


@require_POST
@allow(ADMINS)
def change_access(request: HttpRequest, user_id: int) -> HttpResponse:
    """Deactivate, reactivate, or end a user's sessions: the button says which."""
    user = get_object_or_404(User, id=user_id)
    wanted = {
        "deactivate": departures.deactivate,
        "reactivate": departures.reactivate,
        "sign_out": departures.sign_out_everywhere,
    }.get(request.POST.get("do", ""))
    if wanted is not None:
        try:
            wanted(user=user, actor=signed_in(request).person, now=timezone.now())
        except departures.LastAdministrator:
            messages.error(request, THE_LAST)
    return redirect("setup_person", user_id)


@require_POST
@allow(ADMINS)
def delete_person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Delete or erase a person, once their address has been typed."""
    user = get_object_or_404(User.objects.select_related("person"), id=user_id)
    form = DeletePersonForm(request.POST, user=user)
    if not form.is_valid():
        return _person_page(request, user, form)
    actor, now = signed_in(request).person, timezone.now()
    try:
        if request.POST.get("do") == "erase":
            departures.erase(person=user.person, actor=actor, now=now)
        else:
            departures.delete_person(user=user, actor=actor, now=now)
    except departures.LastAdministrator:
        messages.error(request, THE_LAST)
        return redirect("setup_person", user_id)
    messages.success(request, f"{user.email} is deleted. The history stays under a pseudonym.")
    return redirect("setup_people")


def _person_page(request: HttpRequest, user: User, form: DeletePersonForm) -> HttpResponse:
    context = {
        "person": user_row(user, you=signed_in(request)),
        "role_form": RoleForm(initial={"role": user.role}),
        "delete_form": form,
    }
    return render(request, "accounts/setup_person.html", context)


@require_safe
@allow(ADMINS)
def setup_audit(request: HttpRequest) -> HttpResponse:
    """Who changed what, newest first."""
    written = request.GET.get("before", "")
    before = int(written) if written.isascii() and written.isdigit() else None
    rows, older = audit_page(before=before)
    context = {
        "rows": rows,
        "older": f"?before={older}" if older else None,
        "newer": request.path if before else None,
    }
    return render(request, "accounts/setup_audit.html", context)
