"""The data sheet of a pilot on one page, made from its settings: what is recorded, why, how long,
who sees what, where code goes, and what people may ask for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.accounts.access import AGGREGATES, EVERYONE_SIGNED_IN, allow, signed_in
from apps.catalog.models import Candidate, Residence
from apps.core.groups import LEAST_GROUP
from apps.feedback.comparisons import KEPT_FOR
from apps.feedback.letters import question_text
from apps.feedback.pulse import questions
from apps.pilots.actions import KEY_LASTS
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Measure, Pilot
from apps.pilots.plan_queries import goals_of
from apps.pilots.queries import pilot_or_404, trials_of

PLACES: Final = {
    Residence.INSIDE: "Stays on our own machines",
    Residence.PRIVATE: "Goes to our own cloud account",
    Residence.OUTSIDE: "Leaves to another company",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of data: what it holds, what it is for, how long it is kept."""

    what: str
    holds: str
    purpose: str
    kept: str


@dataclass(frozen=True, slots=True)
class Place:
    """A class of place that code goes to, and who is there; names only for whom they are told."""

    sentence: str
    kind: str
    count: int
    regions: list[str]
    names: list[str]


@require_safe
@allow(EVERYONE_SIGNED_IN)
def data_sheet(request: HttpRequest, slug: str) -> HttpResponse:
    """For everybody who takes part, and for those who see results; of a draft administrators."""
    pilot = pilot_or_404(request, slug)
    reader = signed_in(request)
    may_know = reader.role in AGGREGATES or is_unblinded(pilot)
    context = {
        "edited": pilot,
        "pilot": pilot,
        "now": timezone.now(),
        "records": list(records(pilot)),
        "places": places(pilot, names_blind=may_know),
        "seen_by": list(seen_by(pilot)),
        "questions": [question_text(pilot), *(each.text for each in questions(pilot))],
        "goals": [
            (goal.get_role_display(), goal.get_measure_display()) for goal in goals_of(pilot)
        ],
        "is_blind": bool(_blind_ids(pilot)) and not is_unblinded(pilot),
        "may_know": may_know,
        "shows_tabs": reader.is_admin,
    }
    return render(request, "dashboard/data_sheet.html", context)


def records(pilot: Pilot) -> Iterable[Record]:
    """Yield what is recorded as this pilot is set."""
    until_erased = "until you have it erased; nothing deletes it by itself"
    yield Record(
        "Calls",
        "when, which model name, task, tokens, duration, outcome, cost. No prompt, no answer",
        "to know what each candidate costs, how fast it is and how often it fails",
        until_erased,
    )
    share = f"{(pilot.sample_share * 100).normalize():f}%"
    asked = f"; chance asks about {share} of answers" if pilot.sample_share else ""
    yield Record(
        "Ratings",
        f"your rating, tags and comment, and what they were before{asked}",
        "to know which answers people like, and why",
        "until you withdraw it: words at once, the vote counts nowhere from then on",
    )
    yield Record(
        "Daily question",
        "1 to 5 for a day on which you called, and a reason if you give one",
        "the measure by which candidates are told apart",
        "until you withdraw it",
    )
    yield Record(
        "Weekly pulse",
        "four answers from 1 to 5, each of which may be left out",
        "to know whether the assistant is trusted and of use; it ranks nobody",
        "until you withdraw it",
    )
    yield Record(
        "Your editor’s events",
        "what was shown and accepted, the file’s language, tokens. No code, paths or repositories",
        "acceptance of completions",
        until_erased,
    )
    yield Record(
        "Comparisons you start",
        "your prompt and its answers, encrypted; your vote",
        "to let you judge two answers side by side",
        f"texts for {KEPT_FOR.days} days, the vote until you withdraw it",
    )
    yield Record(
        "Keys",
        "a digest, never the key; what you call it",
        "to know whose calls they are",
        f"a key works for {KEY_LASTS.days} days",
    )


def seen_by(pilot: Pilot) -> Iterable[tuple[str, str]]:
    """Yield who sees what as this pilot is set."""
    yield "You", "your own calls, ratings, answers and events, and a copy of all of it"
    if pilot.people_named:
        leads = "results by candidate, and by name who called how often and when: it names people"
    else:
        leads = (
            f"results by candidate, of groups of {LEAST_GROUP} people and more. Not who you "
            "are: this pilot names nobody, and of a call its hour alone"
        )
    yield "Leads", leads
    yield "Viewers, such as finance or the works council", "sums only, never a single call"
    yield "Administrators", "what leads see, who takes part, and the set-up with its audit trail"
    if pilot.widget_origins:
        origins = ", ".join(pilot.widget_origins)
        yield "Pages with our rating widget", f"no ratings; yours is given in a frame: {origins}"


def places(pilot: Pilot, *, names_blind: bool) -> list[Place]:
    """Return where code goes, by class of place; who takes turns blind is named to few."""
    blind = set() if names_blind else _blind_ids(pilot)
    by_class: dict[str, list[Candidate]] = {}
    for candidate in _candidates(pilot):
        by_class.setdefault(candidate.provider.residence, []).append(candidate)
    return [
        Place(
            PLACES[residence],
            "warn" if residence == Residence.OUTSIDE else "good",
            len(there),
            sorted({each.provider.region for each in there if each.provider.region}),
            [f"{each.name} at {each.provider.name}" for each in there if each.id not in blind],
        )
        for residence in Residence
        if (there := by_class.get(residence))
    ]


def _candidates(pilot: Pilot) -> list[Candidate]:
    return [trial.candidate for trial in trials_of(pilot)]


def _blind_ids(pilot: Pilot) -> set[int]:
    """Return who takes turns, or will; everybody where blind wins are asked for."""
    goals = goals_of(pilot)
    if any(goal.measure == Measure.WINS for goal in goals):
        return {each.id for each in _candidates(pilot)}
    return {each for goal in goals if goal.is_blind for each in goal.candidate_ids} | {
        each
        for rotation in pilot.rotations.prefetch_related("eras")
        for era in rotation.known_eras()
        for each in era.candidate_ids
    }
