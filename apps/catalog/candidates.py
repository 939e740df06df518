"""Changes of candidates. Each is one transaction, audited, and republishes the routes."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from apps.accounts.models import Person
from apps.catalog.actions import SlugTaken, check_slug, standing
from apps.catalog.models import Candidate, CandidateState, HostingInterval, Provider
from apps.catalog.trail import changes_of, note
from apps.changes.actions import mark_dirty, routes_changed


class CandidateRetired(Exception):
    """A retired candidate changes no more."""


class FallsBackToItself(Exception):
    """A candidate that cannot answer cannot answer in its own place."""


class FallsBackElsewhere(Exception):
    """Code would go to another class of place than the one that developers were told."""


class FimTemplateMalformed(Exception):
    """A template for fill-in-the-middle names {prefix} and {suffix}, each once."""


@transaction.atomic
def register_candidate(
    *,
    provider: Provider,
    slug: str,
    name: str,
    upstream_model: str,
    now: datetime,
    deployment: str = "",
    context_tokens: int | None = None,
    fim_template: str = "",
    fim_stops: Sequence[str] = (),
    has_tools: bool = True,
    actor: Person | None = None,
) -> Candidate:
    """Make a candidate of a provider's model; its position fixes its color and shape for good.

    Raises SlugMalformed, SlugTaken, ProviderRetired, FimTemplateMalformed.
    """
    check_slug(slug)
    _check_fim(fim_template)
    standing(provider)
    if Candidate.objects.filter(slug=slug).exists():
        raise SlugTaken(slug)
    # Raising the version first makes registrations queue, so that no two take one position.
    routes_changed()
    last = Candidate.objects.aggregate(last=Max("position"))["last"] or 0
    candidate = Candidate.objects.create(
        provider=provider,
        slug=slug,
        name=name,
        upstream_model=upstream_model,
        deployment=deployment,
        position=last + 1,
        context_tokens=context_tokens,
        fim_template=fim_template,
        fim_stops=list(fim_stops),
        has_tools=has_tools,
        created_at=now,
    )
    detail = {"provider": provider.slug, "model": upstream_model}
    note(candidate, "candidate registered", actor, now, detail)
    return candidate


@transaction.atomic
def change_candidate(
    *,
    candidate: Candidate,
    name: str,
    deployment: str,
    context_tokens: int | None,
    fim_template: str,
    fim_stops: Sequence[str],
    has_tools: bool,
    fallback: Candidate | None,
    now: datetime,
    actor: Person | None = None,
) -> Candidate:
    """Replace a candidate's settings. Another model is another candidate: that never changes.

    Raises CandidateRetired, FimTemplateMalformed, FallsBackToItself, FallsBackElsewhere.
    """
    _check_fim(fim_template)
    locked = unretired(candidate)
    _check_fallback(locked, fallback)
    fields = {
        "name": name,
        "deployment": deployment,
        "context_tokens": context_tokens,
        "fim_template": fim_template,
        "fim_stops": list(fim_stops),
        "has_tools": has_tools,
        "fallback": fallback,
    }
    changed = changes_of(locked, fields)
    if changed:
        locked.save(update_fields=list(fields))
        note(locked, "candidate changed", actor, now, changed)
    return locked


def pause_candidate(*, candidate: Candidate, now: datetime, actor: Person | None = None) -> None:
    """Refuse calls to a candidate for a while, with a sentence. Raises CandidateRetired."""
    _enter(CandidateState.PAUSED, candidate, "candidate paused", actor, now)


def resume_candidate(*, candidate: Candidate, now: datetime, actor: Person | None = None) -> None:
    """Let a paused candidate answer again. Raises CandidateRetired."""
    _enter(CandidateState.ACTIVE, candidate, "candidate resumed", actor, now)


@transaction.atomic
def retire_candidate(*, candidate: Candidate, now: datetime, actor: Person | None = None) -> None:
    """Take a candidate out for good and end what its machines cost. Raises CandidateRetired."""
    _enter(CandidateState.RETIRED, candidate, "candidate retired", actor, now)
    HostingInterval.objects.filter(
        candidate=candidate, ended_at__isnull=True, started_at__lt=now
    ).update(ended_at=now)
    mark_dirty([now])


@transaction.atomic
def _enter(
    state: CandidateState, candidate: Candidate, action: str, actor: Person | None, now: datetime
) -> None:
    locked = unretired(candidate)
    if locked.state == state:
        return
    locked.state = state
    locked.save(update_fields=["state"])
    note(locked, action, actor, now)


def _check_fim(template: str) -> None:
    if template and not all(template.count(part) == 1 for part in ("{prefix}", "{suffix}")):
        raise FimTemplateMalformed(template)


def _check_fallback(candidate: Candidate, fallback: Candidate | None) -> None:
    if fallback is None:
        return
    if fallback == candidate:
        raise FallsBackToItself(candidate.slug)
    if fallback.provider.residence != candidate.provider.residence:
        raise FallsBackElsewhere(f"{candidate.slug} to {fallback.slug}")


def unretired(candidate: Candidate) -> Candidate:
    """Return the candidate as it is now, locked. Raises CandidateRetired."""
    locked = Candidate.objects.select_for_update().get(id=candidate.id)
    if locked.state == CandidateState.RETIRED:
        raise CandidateRetired(locked.slug)
    return locked
