"""Rating one answer by a signed link: a page of its own, and a frame in pages of internal tools.

The address is the authority, so no cookie is read. Reading records nothing: mail scanners and
previews follow links.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles.finders import find
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.access import allow_anyone
from apps.accounts.models import Person
from apps.core.pages import is_fragment
from apps.feedback import queries
from apps.feedback.cards import Addresses
from apps.feedback.giving import give_or_withdraw
from apps.feedback.links import Link, LinkExpired, NotALink, read_token
from apps.feedback.pace import seconds_to_wait
from apps.feedback.presence import taking_part
from apps.pilots.models import Pilot
from apps.usage.models import Call

NOT_A_LINK: Final = ("This link does not work", "It is incomplete, or was changed on its way.")
EXPIRED: Final = (
    "This link is too old",
    "Links rate for seven days. Sign in to rate your answers of the last days.",
)
GONE: Final = (
    "This link no longer works",
    "The answer is no longer stored, or its maker takes no part in the pilot any more.",
)
THEMES: Final = ("light", "dark")
SCRIPT_LASTS_S: Final = 3_600


class LinkRefused(Exception):
    """A link that opens nothing; says so to people, with a status."""

    def __init__(self, status: int, words: tuple[str, str]) -> None:
        super().__init__(words[0])
        self.status, self.title, self.sentence = status, *words

    def page(self) -> HttpResponse:
        words = {"title": self.title, "sentence": self.sentence}
        html = render_to_string("feedback/link_refused.html", words)
        return HttpResponse(html, status=self.status)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link has led to: the answer, and who rates it."""

    token: str
    link: Link
    pilot: Pilot
    person: Person
    call: Call


def open_link(token: str, *, now: datetime) -> Opened:
    """Return what a link leads to. Raises LinkRefused."""
    try:
        link = read_token(token, now=now)
    except NotALink:
        raise LinkRefused(404, NOT_A_LINK) from None
    except LinkExpired:
        raise LinkRefused(410, EXPIRED) from None
    enrollment = (
        taking_part()
        .filter(pilot=link.pilot_id, person=link.person_id)
        .select_related("pilot", "person")
        .first()
    )
    call = queries.call_by_id(link.call_id)
    if enrollment is None or call is None or call.person_id != link.person_id:
        raise LinkRefused(410, GONE)
    return Opened(token, link, enrollment.pilot, enrollment.person, call)


@csrf_exempt
@allow_anyone
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The page of one answer for whoever has its link."""
    return _answer(request, token, name="rate_by_link")


@csrf_exempt
@allow_anyone
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def widget(request: HttpRequest, token: str) -> HttpResponse:
    """The same as a frame; browsers show it in pages of the pilot's own origins alone."""
    response = _answer(request, token, name="widget")
    response.xframe_options_exempt = True
    return response


@allow_anyone
@require_safe
def widget_script(request: HttpRequest) -> HttpResponse:
    """The script that puts the frame into a page. Any origin may load it; it holds no secret."""
    path = find("js/widget.js")
    assert isinstance(path, str)
    content = Path(path).read_bytes()
    tag = f'"{sha256(content).hexdigest()[:32]}"'
    is_known = request.headers.get("if-none-match", "").removeprefix("W/") == tag
    kind = "text/javascript; charset=utf-8"
    response = HttpResponse(b"" if is_known else content, kind, 304 if is_known else 200)
    response["ETag"] = tag
    response["Cache-Control"] = f"public, max-age={SCRIPT_LASTS_S}"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _answer(request: HttpRequest, token: str, *, name: str) -> HttpResponse:
    now = timezone.now()
    try:
        opened = open_link(token, now=now)
    except LinkRefused as refusal:
        return _shielded(refusal.page(), ())
    if request.method != "POST":
        return _shown(request, opened, name=name, problems=[], now=now)
    wait_s = seconds_to_wait(f"link:{opened.person.id}", now=now)
    if wait_s:
        problems = [f"That was very often; try again in {wait_s} s."]
    else:
        problems = give_or_withdraw(
            request.POST,
            call=opened.call,
            pilot=opened.pilot,
            person=opened.person,
            via="widget" if name == "widget" else "link",
            now=now,
        )
    if problems or is_fragment(request):
        return _shown(request, opened, name=name, problems=problems, now=now)
    # A page that was reached by GET can be loaded again without sending anything again.
    return _shielded(redirect(name, token), ())


def _shown(
    request: HttpRequest, opened: Opened, *, name: str, problems: list[str], now: datetime
) -> HttpResponse:
    here = reverse(name, args=[opened.token])
    card = queries.card(
        call=opened.call,
        person=opened.person,
        pilot=opened.pilot,
        now=now,
        addresses=Addresses(page=here, give=here, withdraw=here, by_link=True),
    )
    theme = request.GET.get("theme", "")
    context: dict[str, Any] = {
        "card": card,
        "pilot": opened.pilot,
        "now": now,
        "problems": problems,
        "expires_at": opened.link.expires_at,
        "history": queries.history(call_id=opened.call.id, person=opened.person),
        "origins": opened.pilot.widget_origins,
        "theme": theme if theme in THEMES else "",
    }
    template = "feedback/_widget.html" if is_fragment(request) else f"feedback/{name}.html"
    with timezone.override(opened.pilot.zone_info):
        # Without the request: nothing of a session is looked at, and no cookie is set.
        html = render_to_string(template, context)
    framed_by = opened.pilot.widget_origins if name == "widget" else ()
    return _shielded(HttpResponse(html), framed_by)


def _shielded(response: HttpResponse, framed_by: Any) -> HttpResponse:
    """Say who may frame an answer, and keep it out of search engines."""
    ancestors = list(framed_by) or ["'none'"]
    response._csp_replace = {"frame-ancestors": ancestors}  # type: ignore[attr-defined]
    response["X-Robots-Tag"] = "noindex"
    return response
