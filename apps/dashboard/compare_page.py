"""How the candidates of one role stand to each other, and how far that can be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import AGGREGATES, allow
from apps.core.figures import NO_DATA, number, percent
from apps.core.pages import render_page
from apps.core.period_picker import Option
from apps.dashboard.overview_page import candidates_of
from apps.dashboard.scene import head_of, scene_of
from apps.metrics.findings import Bias, Finding
from apps.metrics.quality import PlaceRow, RoleQuality, qualities
from apps.metrics.quality_words import Against, against_words, contrast_between
from apps.metrics.readers import Reader
from apps.metrics.results import findings_of
from apps.pilots.incumbents import incumbent_figures
from apps.pilots.models import Measure

# Fewer raters than this cannot carry an interval that is 95 % in more than name.
FEW_RATERS = 10
LOW_COVERAGE = 0.3


@dataclass(frozen=True, slots=True)
class Duel:
    """One line of the matrix: a candidate, and how it stands to each of the others in order."""

    row: PlaceRow
    cells: list[Against | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the evidence: kind is good, warn or quiet."""

    label: str
    value: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class ComparePage:
    """One role: where everybody stands, each pair, and the checks."""

    role: RoleQuality
    duels: list[Duel]
    checks: list[Check]


@require_safe
@allow(AGGREGATES)
def compare(request: HttpRequest, slug: str) -> HttpResponse:
    """Everything behind a verdict on quality, role by role."""
    scene = scene_of(request, slug, now=timezone.now())
    candidates = {each.id: each for each in candidates_of(scene.trials)}
    found = qualities(findings_of(scene.pilot), candidates, reader=scene.reader)
    asked = request.GET.get("role", "")
    chosen = next((each for each in found if each.finding.role == asked), next(iter(found), None))
    context = {
        "pilot": scene.pilot,
        "now": scene.now,
        "head": head_of(scene),
        "is_lead": scene.user.is_lead,
        "page": page_of(chosen, scene.reader) if chosen else None,
        "tabs": tabs(found, chosen),
        "incumbents": incumbent_figures(scene.pilot, scene.pilot.period),
    }
    template = "dashboard/compare.html"
    return render_page(request, template, context, fragment=template, zone=scene.pilot.zone_info)


def tabs(found: Sequence[RoleQuality], chosen: RoleQuality | None) -> list[Option]:
    """Return a link for each role; none where there is one."""
    if len(found) < 2:
        return []
    return [Option(each.role, f"?role={each.finding.role}", each is chosen) for each in found]


def page_of(role: RoleQuality, reader: Reader) -> ComparePage:
    """Return a role's page. What is hidden from its reader is in none of its parts."""
    if role.is_hidden:
        return ComparePage(role, [], [])
    return ComparePage(role, duels(role), checks(role.finding, reader))


def duels(role: RoleQuality) -> list[Duel]:
    """Return each candidate against each other; empty cells where nothing may be told."""
    shown = {row.candidate.id for row in role.rows if row.estimate is not None}

    def cell(first: PlaceRow, second: PlaceRow) -> Against | None:
        ids = first.candidate.id, second.candidate.id
        if first is second or not shown.issuperset(ids):
            return None
        contrast = contrast_between(role.finding, *ids)
        return against_words(role.finding.measure, contrast) if contrast else None

    return [Duel(row, [cell(row, other) for other in role.rows]) for row in role.rows]


def checks(finding: Finding, reader: Reader) -> list[Check]:
    """Say how far the evidence can be trusted, the worst first."""
    bias = finding.bias
    found = [
        _blind(finding),
        _coverage(bias),
        _raters(finding),
        _without_one(bias),
        _extremes(bias, reader),
        _swaps(bias),
        _seeing(bias, reader),
        _sampled(bias),
        _withdrawn(finding),
    ]
    if finding.measure == Measure.WINS:
        found += [_side(bias), _both_bad(bias), _flagged(bias)]
    order = {"warn": 0, "quiet": 1, "good": 2}
    return sorted((each for each in found if each), key=lambda each: order[each.kind])


def _blind(finding: Finding) -> Check:
    if finding.is_blind:
        return Check("Blind", "Yes", "by lot, day by day, and nobody knew who answered", "good")
    text = "people chose by themselves: this tells whom they like to use, too"
    return Check("Blind", "No", text, "warn")


def _coverage(bias: Bias) -> Check | None:
    if not bias.asked or bias.coverage is None:
        return None
    is_low = bias.coverage < LOW_COVERAGE
    text = "of what was asked was answered"
    if is_low:
        text += "; those who do not answer may think otherwise"
    told = f"{text} ({number(bias.answered)} of {number(bias.asked)})"
    return Check("Coverage", percent(bias.coverage), told, "warn" if is_low else "good")


def _raters(finding: Finding) -> Check:
    few = finding.people < FEW_RATERS
    text = "people, each compared with themselves"
    if few:
        text += "; with fewer than ten, one person weighs much"
    return Check("People", number(finding.people), text, "warn" if few else "good")


def _without_one(bias: Bias) -> Check:
    if bias.changes_without_one is None:
        return Check("One left out", NO_DATA, "not enough people to leave one out", "quiet")
    if bias.changes_without_one:
        text = "the first place changes if one certain person is left out"
        return Check("One left out", "Fragile", text, "warn")
    return Check("One left out", "Stable", "the first place stays whoever is left out", "good")


def _extremes(bias: Bias, reader: Reader) -> Check | None:
    if not bias.raters:
        return None
    text = f"of {number(bias.raters)} always say the same; they tell nothing apart"
    kind = "warn" if bias.extreme_raters * 3 > bias.raters else "good"
    return Check("Same answer always", reader.size(bias.extreme_raters), text, kind)


def _side(bias: Bias) -> Check | None:
    if bias.left is None:
        return None
    leans = bias.left.low > 0.5 or bias.left.high < 0.5
    text = "of the decided votes were for the left side"
    text += "; sides are drawn by lot, so this is habit" if leans else ", as chance would have it"
    return Check("Side", percent(bias.left.mid), text, "warn" if leans else "good")


def _both_bad(bias: Bias) -> Check | None:
    if bias.both_bad is None:
        return None
    kind = "warn" if bias.both_bad > 0.3 else "quiet"
    text = "of the votes say that both answers are bad; they count as ties"
    return Check("Both bad", percent(bias.both_bad), text, kind)


def _flagged(bias: Bias) -> Check:
    if not bias.flagged:
        return Check("Named itself", "0", "no answer named its model before the vote", "good")
    text = "votes were on answers that named a model or its maker; they are left out"
    return Check("Named itself", number(bias.flagged), text, "warn")


def _swaps(bias: Bias) -> Check | None:
    if bias.swapped is None:
        return None
    text = "of the days somebody sent their candidate away; counted as it was assigned"
    return Check("Not this one today", percent(bias.swapped), text, "quiet")


def _sampled(bias: Bias) -> Check | None:
    if bias.volunteered is None or bias.sampled is None:
        return None
    apart = bias.sampled.low > bias.volunteered.high or bias.volunteered.low > bias.sampled.high
    text = "liked of the answers that chance picked, against "
    text += f"{percent(bias.volunteered.mid)} of those that people rated by themselves"
    return Check("Random sample", percent(bias.sampled.mid), text, "warn" if apart else "good")


def _withdrawn(finding: Finding) -> Check | None:
    if not finding.withdrawn_since:
        return None
    text = "withdrawn since the pilot closed; the frozen result still holds them"
    return Check("Withdrawn", number(finding.withdrawn_since), text, "quiet")


def _seeing(bias: Bias, reader: Reader) -> Check | None:
    if not bias.seeing_raters:
        return None
    text = "of those who rated can see results meanwhile"
    return Check("Seeing raters", reader.size(bias.seeing_raters), text, "warn")
