"""The lead's pages: where one lands, the overview, and the candidates."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.views.decorators.http import require_safe

from apps.accounts.access import AGGREGATES, EVERYONE_SIGNED_IN, allow, signed_in
from apps.core.csv_export import csv_response
from apps.core.pages import is_fragment, render_page
from apps.core.periods import DAY
from apps.core.rotation import working_day, working_days_between
from apps.dashboard.agreed import agreed_for
from apps.dashboard.candidate_charts import cost_by_day, latency_distribution
from apps.dashboard.candidate_page import candidate_page, listed_candidates, percentiles_of
from apps.dashboard.charts import spending_over_time
from apps.dashboard.event_marks import marked, marks_of
from apps.dashboard.explained import why_hidden
from apps.dashboard.export import HEADER, leaderboard_rows
from apps.dashboard.freshness import etag_of
from apps.dashboard.navigation import landing_page, pilots_in_view
from apps.dashboard.overview_page import (
    Overview,
    candidates_of,
    chosen_role,
    chosen_task,
    overview_of,
    week_of,
)
from apps.dashboard.quality_chart import quality_against_cost
from apps.dashboard.scene import Scene, head_of, scene_of
from apps.metrics.limit_use import used_up
from apps.metrics.quality import RoleQuality, qualities
from apps.metrics.queries_local import local_models
from apps.metrics.queries_ratings import latest_opinions
from apps.metrics.results import findings_of
from apps.pilots.events import events_of


@require_safe
@allow(EVERYONE_SIGNED_IN)
def home(request: HttpRequest) -> HttpResponse:
    """Where a role has something to do; a page that says what to wait for where there is none."""
    user = signed_in(request)
    pilots = pilots_in_view(user)
    if pilots:
        return redirect(landing_page(user, pilots[0]))
    if user.is_admin:
        return redirect("/setup/")
    return render(request, "dashboard/home.html")


@require_safe
@allow(AGGREGATES)
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """Which model, how sure, at what cost, and are we on track."""
    scene = scene_of(request, slug, now=timezone.now())
    etag = etag_of(scene.pilot, scene.user, now=scene.now)
    unchanged = get_conditional_response(request, etag=etag) if is_fragment(request) else None
    if unchanged is not None:
        return unchanged
    page = _overview(request, scene, with_week=True)
    week = week_of(scene.pilot, scene.choice, scene.trials, page)
    context = _context(scene) | {"page": page, "week": week, "etag": etag.strip('"')}
    context["why_hidden"] = why_hidden(page.rows, is_lead=scene.user.is_lead)
    context["used_up"] = used_up(
        scene.pilot, reader=scene.reader, now=scene.now, spent_usd=page.spent.total_usd
    )
    context["head"] = None if is_fragment(request) else head_of(scene)
    response = _render(
        request, scene, "dashboard/overview.html", context, "dashboard/_overview.html"
    )
    if is_fragment(request):
        response["ETag"] = etag
    return response


@require_safe
@allow(AGGREGATES)
def overview_charts(request: HttpRequest, slug: str) -> HttpResponse:
    """The overview's charts, which come after its figures; a page of tables without JavaScript."""
    scene = scene_of(request, slug, now=timezone.now())
    page = _overview(request, scene)
    context = _context(scene) | {"page": page, "quality": quality_against_cost(page.rows)}
    marks = marks_of(events_of(scene.pilot, scene.pilot.period), scene.pilot.zone_info)
    context |= {"spending": marked(spending_over_time(page.spent), marks), "marks": marks}
    context["why_hidden"] = why_hidden(page.rows, is_lead=scene.user.is_lead)
    return _render(
        request, scene, "dashboard/overview_charts.html", context, "dashboard/_overview_charts.html"
    )


@require_safe
@allow(AGGREGATES)
def leaderboard_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The leaderboard of the chosen period and task, for a spreadsheet."""
    scene = scene_of(request, slug, now=timezone.now())
    name = f"{slug}-leaderboard-{scene.choice.first}-{scene.choice.last}.csv"
    return csv_response(name, HEADER, leaderboard_rows(_overview(request, scene).rows))


@require_safe
@allow(AGGREGATES)
def candidates(request: HttpRequest, slug: str) -> HttpResponse:
    """Every candidate that is or was on trial."""
    scene = scene_of(request, slug, now=timezone.now())
    listed = listed_candidates(
        scene.pilot, scene.choice, scene.trials, reader=scene.reader, **_ranking(request, scene)
    )
    context = _context(scene) | {"listed": listed, "head": head_of(scene)}
    context["local"] = local_models(scene.pilot, scene.choice.period, reader=scene.reader)
    rows = [each.row for each in listed]
    context["why_hidden"] = why_hidden(rows, is_lead=scene.user.is_lead)
    template = "dashboard/candidates.html"
    return _render(request, scene, template, context, template)


@require_safe
@allow(AGGREGATES)
def candidate(request: HttpRequest, slug: str, candidate_slug: str) -> HttpResponse:
    """One candidate: quality, cost, speed, errors, and what people said about it."""
    scene = scene_of(request, slug, now=timezone.now())
    chosen = next((t.candidate for t in scene.trials if t.candidate.slug == candidate_slug), None)
    if chosen is None:
        raise Http404(f"no candidate {candidate_slug} in {slug}")
    ranking = _ranking(request, scene)
    page = candidate_page(
        scene.pilot, scene.choice, scene.trials, chosen, reader=scene.reader, **ranking
    )
    latency = page.row.figures.latency
    context = _context(scene) | {"page": page, "percentiles": percentiles_of(latency)}
    events = events_of(scene.pilot, scene.choice.period)
    own = [each for each in events if each.candidate_id in (None, chosen.id)]
    marks = marks_of(own, scene.pilot.zone_info)
    context |= {
        "cost_chart": marked(cost_by_day(page.days, chosen.position), marks),
        "marks": marks,
    }
    context["latency_chart"] = latency_distribution(latency, chosen.position)
    if scene.user.is_lead and page.shows_opinions:
        context["opinions"] = latest_opinions(
            scene.pilot,
            candidate_id=chosen.id,
            period=scene.choice.period,
            reader=scene.reader,
        )
    template = "dashboard/candidate.html"
    return _render(request, scene, template, context, template)


def _found(scene: Scene) -> list[RoleQuality]:
    """What was found out about each role, over the whole pilot."""
    pilot = scene.pilot
    candidates = {each.id: each for each in candidates_of(scene.trials)}
    left = working_days_between(working_day(scene.now, pilot.zone_info), pilot.ends_on + DAY)
    return qualities(findings_of(pilot), candidates, reader=scene.reader, days_left=left)


def _ranking(request: HttpRequest, scene: Scene) -> dict[str, Any]:
    """Say what ranks candidates: a role's measure where one was agreed on, else what is liked."""
    role = chosen_role(_found(scene), request.GET)
    return {"role": role, "likes_rank": not agreed_for(scene.pilot).has_goals}


def _overview(request: HttpRequest, scene: Scene, *, with_week: bool = False) -> Overview:
    found = _found(scene)
    return overview_of(
        scene.pilot,
        scene.choice,
        scene.trials,
        task=chosen_task(request.GET),
        reader=scene.reader,
        now=scene.now,
        with_week=with_week,
        found=found,
        role=chosen_role(found, request.GET),
        agreed=agreed_for(scene.pilot),
    )


def _context(scene: Scene) -> dict[str, Any]:
    return {
        "pilot": scene.pilot,
        "choice": scene.choice,
        "now": scene.now,
        "is_lead": scene.user.is_lead,
    }


def _render(
    request: HttpRequest, scene: Scene, template: str, context: dict[str, Any], fragment: str
) -> HttpResponse:
    zone = scene.pilot.zone_info
    response = render_page(request, template, context, fragment=fragment, zone=zone)
    # Asked again each time, answered with 304 where nothing changed.
    patch_cache_control(response, private=True, no_cache=True)
    return response
