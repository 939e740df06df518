"""Pages behind the links of messages: whoever holds a link answers, without signing in.

The address is the authority, so no cookie is read and none is needed. Mail scanners and previews
follow links: a GET shows buttons and stores nothing.
"""

from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.accounts.access import allow_anyone
from apps.feedback import asked_links, preferences
from apps.feedback.models import Channel, DailyQuestion
from apps.feedback.pace import seconds_to_wait
from apps.feedback.presence import taking_part
from apps.feedback.saying import say_of_day
from apps.feedback.today_forms import DayForm
from apps.feedback.today_page import card_of
from apps.pilots.models import Enrollment

VIA: Final = "link"
NO_LINK: Final = (
    "This link does not work",
    "It is incomplete or older than seven days, or its person takes no part in the pilot any more. "
    "Sign in to answer.",
)


@csrf_exempt
@allow_anyone
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def asked(request: HttpRequest, token: str) -> HttpResponse:
    """One day's question for whoever has its link."""
    now = timezone.now()
    found = _question(token, now)
    if found is None:
        return _page("feedback/link_refused.html", _words(NO_LINK), status=404)
    question, enrollment = found
    problems: list[str] = []
    if request.method == "POST":
        problems = _said(request, question, enrollment, now)
        if not problems:
            return redirect("asked", token)
    pilot = enrollment.pilot
    card = card_of(question, pilot, url=request.path, now=now, by_link=True)
    context = {
        "card": card,
        "pilot": pilot,
        "problems": problems,
        "stop_url": asked_links.stop_link(enrollment),
    }
    with timezone.override(pilot.zone_info):
        return _page("feedback/asked.html", context)


@csrf_exempt
@allow_anyone
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_asking(request: HttpRequest, token: str) -> HttpResponse:
    """End all messages of a pilot by one press, or by a mail program's own button (RFC 8058)."""
    try:
        enrollment_id = asked_links.read_stop_token(token)
    except asked_links.BadLink:
        return _page("feedback/link_refused.html", _words(NO_LINK), status=404)
    enrollment = Enrollment.objects.select_related("pilot").get(id=enrollment_id)
    if request.method == "POST":
        preferences.stop(enrollment=enrollment, now=timezone.now())
    wish = preferences.preference_of(enrollment)
    context = {"pilot": enrollment.pilot, "is_off": wish.channel == Channel.OFF}
    return _page("feedback/stop_asking.html", context)


def _question(token: str, now: datetime) -> tuple[DailyQuestion, Enrollment] | None:
    """Return what a link opens; None when it is none, too old, or its person has left."""
    try:
        link = asked_links.read_answer_token(token, now=now)
    except asked_links.BadLink:
        return None
    question = DailyQuestion.objects.filter(id=link.question_id, person=link.person_id).first()
    if question is None:
        return None
    enrollment = (
        taking_part()
        .filter(pilot=question.pilot_id, person=question.person_id)
        .select_related("pilot", "person")
        .first()
    )
    return None if enrollment is None else (question, enrollment)


def _said(
    request: HttpRequest, question: DailyQuestion, enrollment: Enrollment, now: datetime
) -> list[str]:
    if wait_s := seconds_to_wait(f"asked:{question.id}", now=now):
        return [f"That was very often; try again in {wait_s} s."]
    form = DayForm(request.POST)
    return form.problems() or say_of_day(
        form.cleaned_data,
        pilot=enrollment.pilot,
        person=enrollment.person,
        question=question,
        via=VIA,
        now=now,
    )


def _words(words: tuple[str, str]) -> dict[str, str]:
    return {"title": words[0], "sentence": words[1]}


def _page(template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    # Without the request: nothing of a session is looked at, and no cookie is set.
    response = HttpResponse(render_to_string(template, context), status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
