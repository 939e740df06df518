"""The calls pages: everybody's for leads, one's own for developers."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import DEVELOPERS, allow
from apps.core.csv_export import csv_response
from apps.core.pages import render_page
from apps.core.period_picker import PeriodChoice
from apps.pilots.models import Pilot
from apps.pilots.queries import pilot_or_404
from apps.usage import call_page
from apps.usage.call_export import MOST_ROWS, cells, header
from apps.usage.forms import CallFilterForm
from apps.usage.queries import CallRow, calls_page, newest_calls, one_call, price_of
from apps.usage.sight import Sight

_CURSORS = ("before", "after")


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A row of the list, and the name that the reader's link calls it by."""

    row: CallRow
    reference: UUID


@require_safe
@allow(DEVELOPERS)
def calls(request: HttpRequest, slug: str) -> HttpResponse:
    """One page of calls, newest first."""
    pilot = pilot_or_404(request, slug)
    sight = Sight(request, pilot)
    choice, form = _asked(request, pilot, sight)
    narrowed = form.narrowed(choice.period, person_id=sight.only_person_id)
    before, after = (_cursor(request, name, sight) for name in _CURSORS)
    page = calls_page(pilot, narrowed, before=before, after=after, with_names=sight.sees_names)
    context = {"pilot": pilot, "choice": choice, "form": form, "sight": sight}
    context |= {"listed": listed(page.rows, sight), "most_rows": MOST_ROWS}
    context |= {"period_fields": parse_qsl(choice.query), "query": _query(request)}
    context["clear_url"] = f"?{choice.query}"
    context["newer"] = _link(request, "after", page.newer, sight)
    context["older"] = _link(request, "before", page.older, sight)
    context["polls"] = choice.is_open and before is None and after is None
    fragment = "usage/_calls.html"
    return render_page(request, "usage/calls.html", context, fragment=fragment, zone=sight.zone)


@require_safe
@allow(DEVELOPERS)
def calls_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The same calls as a file: all that the filters leave, up to a bound."""
    pilot = pilot_or_404(request, slug)
    sight = Sight(request, pilot)
    choice, form = _asked(request, pilot, sight)
    narrowed = form.narrowed(choice.period, person_id=sight.only_person_id)
    rows = newest_calls(pilot, narrowed, with_names=sight.sees_names, limit=MOST_ROWS + 1)
    cut = f"-newest-{MOST_ROWS}" if len(rows) > MOST_ROWS else ""
    shown = [each.row for each in listed(rows[:MOST_ROWS], sight)]
    name = f"calls-{pilot.slug}-{choice.first}-{choice.last}{cut}.csv"
    return csv_response(name, header(sight), (cells(row, sight) for row in shown))


@require_safe
@allow(DEVELOPERS)
def call(request: HttpRequest, slug: str, reference: UUID) -> HttpResponse:
    """Everything known about one call, none of which is its content."""
    pilot = pilot_or_404(request, slug)
    sight = Sight(request, pilot)
    call_id = sight.call_id(reference)
    row = one_call(pilot, call_id, with_names=sight.sees_names) if call_id else None
    if row is None or not sight.may_see(row.call):
        raise Http404("no such call")
    context = {"pilot": pilot, "row": row, "sight": sight, "is_own": sight.is_own(row.call)}
    context |= call_page.shown(row, price=price_of(row.call), sight=sight)
    page = "usage/call.html"
    return render_page(request, page, context, fragment=page, zone=sight.zone)


def listed(rows: Sequence[CallRow], sight: Sight) -> list[ListedCall]:
    """Name the calls for their reader, who learns no order within the hour if no minute either."""
    found = [ListedCall(row, sight.reference(row.call.id)) for row in rows]
    if sight.hour_only:
        found.sort(key=lambda each: each.reference)
        found.sort(key=lambda each: call_page.hour_of(each.row, sight.zone), reverse=True)
    return found


def _asked(request: HttpRequest, pilot: Pilot, sight: Sight) -> tuple[PeriodChoice, CallFilterForm]:
    choice = PeriodChoice(request.GET, pilot.period, pilot.zone_info, timezone.now())
    form = CallFilterForm(
        request.GET.dict(), pilot=pilot, with_people=sight.sees_names, with_arms=sight.is_lead
    )
    return choice, form


def _cursor(request: HttpRequest, name: str, sight: Sight) -> UUID | None:
    try:
        return sight.call_id(UUID(request.GET.get(name, "")))
    except ValueError:
        return None


def _query(request: HttpRequest) -> str:
    """The list that is asked for, wherever in it the page is."""
    params = request.GET.copy()
    for name in _CURSORS:
        params.pop(name, None)
    return params.urlencode()


def _link(request: HttpRequest, name: str, cursor: UUID | None, sight: Sight) -> str | None:
    if cursor is None:
        return None
    rest = _query(request)
    return f"?{rest}{'&' if rest else ''}{name}={sight.reference(cursor)}"
