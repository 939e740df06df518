"""What is stored of a person's comparisons, for their own copy of everything."""

from typing import Any

from apps.accounts.models import Person
from apps.feedback.comparison_queries import opened
from apps.feedback.models import ComparedAnswer, Comparison
from apps.pilots.blindness import is_unblinded
from apps.pilots.models import Pilot


def comparisons_of(person: Person) -> list[dict[str, Any]]:
    """Return all of them with their words opened, the first one first. Four queries.

    Of what is blind still, who answered, which call it was and how long it took is left out.
    """
    found = list(
        Comparison.objects.filter(person=person)
        .prefetch_related("answers", "revisions")
        .order_by("created_at", "id")
    )
    pilots = Pilot.objects.in_bulk({each.pilot_id for each in found})
    return [_told(each, pilots[each.pilot_id]) for each in found]


def _told(comparison: Comparison, pilot: Pilot) -> dict[str, Any]:
    is_hidden = comparison.is_blind and not is_unblinded(pilot)
    fields = ("id", "role", "is_blind", "created_at", "ready_at", "failed_at", "outcome")
    times = ("winner_id", "voted_at", "updated_at", "withdrawn_at", "expires_at")
    return {
        "pilot": pilot.slug,
        **{name: getattr(comparison, name) for name in (*fields, *times)},
        "prompt": opened(comparison.prompt),
        "answers": [
            _told_answer(each, is_hidden=is_hidden)
            for each in sorted(comparison.answers.all(), key=lambda one: one.side)
        ],
        "earlier_votes": [
            {"outcome": each.outcome, "winner_id": each.winner_id, "until": each.until}
            for each in sorted(comparison.revisions.all(), key=lambda one: one.id)
        ],
    }


def _told_answer(answer: ComparedAnswer, *, is_hidden: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"side": answer.side, "text": opened(answer.text)}
    if is_hidden:
        return told
    fields = ("candidate_id", "call_id", "length", "names_itself", "first_content_ms", "total_ms")
    return told | {name: getattr(answer, name) for name in (*fields, "finished_at", "error")}
