"""The page of today, and how one is asked: only a POST ever records anything."""

from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import ADMINS, DEVELOPERS, allow, signed_in
from apps.accounts.mail import is_set_up
from apps.catalog.posting import NotPostable
from apps.core.pages import is_fragment, render_page
from apps.feedback import preferences
from apps.feedback.asking import problem_of
from apps.feedback.daily import question_of
from apps.feedback.letters import QUESTION, trial_message
from apps.feedback.models import Channel
from apps.feedback.pace import seconds_to_wait
from apps.feedback.pulse import TEXTS, TOPICS
from apps.feedback.saying import say_of_day, say_of_week
from apps.feedback.shell import snippets
from apps.feedback.texts import change_questions
from apps.feedback.today_forms import AskingForm, DayForm, PulseForm, QuestionsForm
from apps.feedback.today_page import card_of, today_page
from apps.pilots.models import Enrollment, Pilot
from apps.pilots.queries import enrollment_of, pilot_or_404
from apps.pilots.trail import PilotClosed

VIA: Final = "page"
TRIES_PER_MINUTE: Final = 3
TENTH: Final = Decimal("0.1")


@require_safe
@allow(DEVELOPERS)
def today(request: HttpRequest, slug: str) -> HttpResponse:
    """Show today's question, the few sampled answers, the week's questions and the last days."""
    pilot, user, now = pilot_or_404(request, slug), signed_in(request), timezone.now()
    context: dict[str, Any] = {"pilot": pilot, "now": now}
    enrollment = enrollment_of(user, pilot)
    if enrollment is not None:
        url = reverse("answer_day", args=[pilot.slug])
        context["today"] = today_page(
            person=user.person, pilot=pilot, enrollment=enrollment, url=url, now=now
        )
    template = "feedback/today.html"
    return render_page(request, template, context, fragment=template, zone=pilot.zone_info)


@require_POST
@allow(DEVELOPERS)
def answer_day(request: HttpRequest, slug: str) -> HttpResponse:
    """Store, skip or withdraw the answer of a day, and show the question again."""
    pilot, enrollment = _taking_part(request, slug)
    person, now, form = enrollment.person, timezone.now(), DayForm(request.POST)
    problems = form.problems() or say_of_day(
        form.cleaned_data, pilot=pilot, person=person, via=VIA, now=now
    )
    day = form.cleaned_data.get("day")
    question = question_of(pilot=pilot, person=person, day=day) if day else None
    if question is None or not is_fragment(request):
        for problem in problems:
            messages.error(request, problem)
        return redirect(reverse("today", args=[pilot.slug]) + (f"#day-{day}" if day else ""))
    card = card_of(question, pilot, url=request.path, now=now)
    context = {"card": card, "problems": problems, "compact": request.POST.get("compact")}
    with timezone.override(pilot.zone_info):
        return render(request, "feedback/_today_card.html", context | {"is_saved": not problems})


@require_POST
@allow(DEVELOPERS)
def answer_week(request: HttpRequest, slug: str) -> HttpResponse:
    """Store, skip or withdraw the answers of a week."""
    pilot, enrollment = _taking_part(request, slug)
    form = PulseForm(request.POST)
    if form.is_valid():
        problems = say_of_week(
            form.cleaned_data,
            form.scores,
            pilot=pilot,
            person=enrollment.person,
            via=VIA,
            now=timezone.now(),
        )
    else:
        problems = ["Choose from 1 to 5."]
    for problem in problems:
        messages.error(request, problem)
    return redirect(reverse("today", args=[pilot.slug]) + "#week")


@allow(DEVELOPERS)
def ask_preferences(request: HttpRequest, slug: str) -> HttpResponse:
    """How one wants to be asked."""
    pilot, enrollment = _taking_part(request, slug)
    wish = preferences.preference_of(enrollment)
    form = AskingForm(request.POST or None, initial={"channel": wish.channel, "hour": wish.hour})
    if request.method == "POST" and request.POST.get("do") == "stop":
        preferences.stop(enrollment=enrollment, now=timezone.now())
        messages.success(request, "You are asked no more. Here you can change that at any time.")
        return redirect("ask_preferences", pilot.slug)
    if request.method == "POST" and form.is_valid() and _is_chosen(form, enrollment):
        messages.success(request, "Saved.")
        return redirect("ask_preferences", pilot.slug)
    context = {
        "pilot": pilot,
        "form": form,
        "wish": wish,
        "problem": problem_of(enrollment),
        "has_mail": is_set_up(),
        "snippets": snippets(settings.SITE_URL),
    }
    return render(request, "feedback/ask_preferences.html", context)


@require_POST
@allow(DEVELOPERS)
def try_webhook(request: HttpRequest, slug: str) -> HttpResponse:
    """Send a message to one's chat now, and say whether it arrived."""
    pilot, enrollment = _taking_part(request, slug)
    whose = f"webhook:{enrollment.person_id}"
    if wait_s := seconds_to_wait(whose, now=timezone.now(), most=TRIES_PER_MINUTE):
        messages.error(request, f"That was very often; try again in {wait_s} s.")
        return redirect("ask_preferences", pilot.slug)
    wish = preferences.preference_of(enrollment)
    try:
        if wish.channel != Channel.WEBHOOK:
            raise NotPostable("There is no address; save one first.")
        preferences.post(wish, trial_message(pilot, enrollment))
    except NotPostable as problem:
        messages.error(request, f"The message did not arrive. {problem}")
    else:
        messages.success(request, "A message was sent to your chat.")
    return redirect("ask_preferences", pilot.slug)


@allow(ADMINS)
def setup_questions(request: HttpRequest, slug: str) -> HttpResponse:
    """The words of a pilot's questions, and how large its random sample is."""
    pilot = pilot_or_404(request, slug)
    ours = {"daily": QUESTION} | dict(zip(TOPICS, TEXTS, strict=True))
    texts = dict(zip(TOPICS, pilot.pulse_questions or [""] * len(TOPICS), strict=False))
    standing = {
        "daily": pilot.daily_question,
        "sample_percent": (pilot.sample_share * 100).quantize(TENTH),
        **texts,
    }
    form = QuestionsForm(request.POST or None, initial=standing, ours=ours)
    if request.method == "POST" and form.is_valid() and _is_changed(request, form, pilot):
        messages.success(request, "Saved.")
        return redirect("setup_questions", pilot.slug)
    return render(request, "feedback/setup_questions.html", {"edited": pilot, "form": form})


def _taking_part(request: HttpRequest, slug: str) -> tuple[Pilot, Enrollment]:
    """Return the pilot and how the reader takes part. Raises Http404."""
    pilot, user = pilot_or_404(request, slug), signed_in(request)
    enrollment = enrollment_of(user, pilot)
    if enrollment is None:
        raise Http404("they do not take part")
    return pilot, enrollment


def _is_chosen(form: AskingForm, enrollment: Enrollment) -> bool:
    try:
        preferences.choose(enrollment=enrollment, now=timezone.now(), **form.cleaned_data)
    except preferences.NoMail:
        form.add_error("channel", "This installation sends no mail; choose another way.")
    except preferences.NoWebhook:
        form.add_error("webhook", "Type the address of your chat’s incoming webhook.")
    except NotPostable as problem:
        form.add_error("webhook", str(problem))
    return not form.errors


def _is_changed(request: HttpRequest, form: QuestionsForm, pilot: Pilot) -> bool:
    said = form.cleaned_data
    try:
        change_questions(
            pilot=pilot,
            daily=said["daily"],
            pulse=[said[topic] for topic in TOPICS],
            sample_share=said["sample_percent"] / 100,
            actor=signed_in(request).person,
            now=timezone.now(),
        )
    except PilotClosed:
        form.add_error(None, "This pilot is closed; nothing in it changes any more.")
    return not form.errors
