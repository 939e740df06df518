"""The calls pages: everybody's for leads, one's own for developers."""

from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import DEVELOPERS, allow, signed_in
from apps.core.drawing import Segment
from apps.core.figures import number
from apps.core.pages import render_page
from apps.core.period_picker import PeriodChoice
from apps.pilots.models import Pilot
from apps.pilots.queries import pilot_or_404
from apps.usage.forms import CallFilterForm
from apps.usage.queries import CallRow, calls_page, one_call

SOURCE_NOTES = {
    "provider": "Counted by the provider.",
    "estimated": "Estimated from the bytes that passed.",
    "none": "Nobody counted them.",
}


@require_safe
@allow(DEVELOPERS)
def calls(request: HttpRequest, slug: str) -> HttpResponse:
    """One page of calls, newest first."""
    pilot = pilot_or_404(request, slug)
    sight = Sight(request, pilot)
    choice = PeriodChoice(request.GET, pilot.period, pilot.zone_info, timezone.now())
    form = CallFilterForm(request.GET.dict(), pilot=pilot, with_people=sight.sees_names)
    page = calls_page(
        pilot,
        form.narrowed(choice.period, person_id=sight.only_person_id),
        before=_cursor(request, "before"),
        after=_cursor(request, "after"),
        with_names=sight.sees_names,
    )
    context = {"pilot": pilot, "choice": choice, "form": form, "page": page, "sight": sight}
    context["period_fields"] = parse_qsl(choice.query)
    context["newer"] = _link(request, "after", page.newer)
    context["older"] = _link(request, "before", page.older)
    return render_page(
        request, "usage/calls.html", context, fragment="usage/_calls.html", zone=sight.zone
    )


@require_safe
@allow(DEVELOPERS)
def call(request: HttpRequest, slug: str, call_id: UUID) -> HttpResponse:
    """Everything known about one call, none of which is its content."""
    pilot = pilot_or_404(request, slug)
    sight = Sight(request, pilot)
    row = one_call(pilot, call_id, with_names=sight.sees_names)
    if row is None or not sight.may_see(row):
        raise Http404("no such call")
    context = {"pilot": pilot, "row": row, "sight": sight, "segments": timeline(row)}
    context["source_note"] = SOURCE_NOTES[row.call.usage_source]
    context |= {"tokens": tokens(row), "facts": facts(row, sight), "attempts": attempts(row)}
    return render_page(
        request, "usage/call.html", context, fragment="usage/call.html", zone=sight.zone
    )


class Sight:
    """What the reader may see of a pilot's calls.

    Leads see all calls; who made them, and the minute, only where the pilot names people.
    Developers see their own.
    """

    def __init__(self, request: HttpRequest, pilot: Pilot) -> None:
        user = signed_in(request)
        self.is_lead = user.is_lead
        self.sees_names = self.is_lead and pilot.people_named
        self.only_person_id = None if self.is_lead else user.person_id
        self.zone = pilot.zone_info

    def may_see(self, row: CallRow) -> bool:
        return self.only_person_id in (None, row.call.person_id)

    @property
    def hour_only(self) -> bool:
        return self.is_lead and not self.sees_names


def timeline(row: CallRow) -> list[Segment]:
    """Cut the call's duration at what was observed on its way."""
    at = [("waiting for the first byte", row.call.first_byte_ms)]
    at += [("until the first content", row.call.first_content_ms), ("answering", row.call.total_ms)]
    segments, before = [], 0
    for label, until in at:
        if until is not None:
            segments.append(Segment(label, max(0, until - before)))
            before = max(before, until)
    return segments


def tokens(row: CallRow) -> list[tuple[str, str | None]]:
    return [
        ("Sent", number(row.call.prompt_tokens)),
        ("of these from the cache", number(row.call.cached_tokens)),
        ("Made", number(row.call.completion_tokens)),
        ("Tool calls", number(row.call.tool_calls)),
        ("Finish reason", row.call.finish_reason or None),
    ]


def facts(row: CallRow, sight: Sight) -> list[tuple[str, str | None]]:
    call = row.call
    known = [
        ("Model name sent", call.alias),
        ("Endpoint", f"/v1/{call.endpoint}"),
        ("Provider", row.candidate.provider.name),
        ("Streamed", "yes" if call.streamed else "no"),
        ("Status", str(call.status) if call.status else None),
        ("Problem", call.error or None),
        ("Request", f"{number(call.request_bytes)} bytes" if call.request_bytes else None),
        ("Answer", f"{number(call.response_bytes)} bytes" if call.response_bytes else None),
    ]
    if sight.hour_only:
        return known
    overhead = f"{call.overhead_us / 1000:.1f} ms" if call.overhead_us is not None else None
    known += [("Added by PilotDash", overhead), ("Client", call.client or None)]
    return [*known, ("Session", call.session or None), ("Call id", str(call.id))]


def attempts(row: CallRow) -> list[dict[str, Any]]:
    """The tries at the provider, named after the candidate where it is this call's own."""
    return [
        attempt
        | {"candidate": row.candidate.name if attempt["candidate_id"] == row.candidate.id else "–"}
        for attempt in row.call.attempts
    ]


def _cursor(request: HttpRequest, name: str) -> UUID | None:
    try:
        cursor = UUID(request.GET.get(name, ""))
    except ValueError:
        return None
    return cursor if cursor.version == 7 else None


def _link(request: HttpRequest, name: str, cursor: UUID | None) -> str | None:
    if cursor is None:
        return None
    params = request.GET.copy()
    params.pop("before", None)
    params.pop("after", None)
    params[name] = str(cursor)
    return f"?{params.urlencode()}"
