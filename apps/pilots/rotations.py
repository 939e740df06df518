"""Blind rotations: which candidates may take turns, and the life of an alias they share."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from django.db import transaction

from apps.accounts.models import Person
from apps.catalog.models import Candidate, CandidateState, Residence
from apps.core.rotation import working_day
from apps.gateway.contract import SUFFIX
from apps.pilots.arms import newest_era, take_turns
from apps.pilots.blindness import COMPARED, SCREENED
from apps.pilots.happenings import happened
from apps.pilots.models import ALIAS, Pilot, Rotation, RotationEra, Trial, UseRole
from apps.pilots.queries import trials_of
from apps.pilots.trail import note, open_pilot
from apps.pilots.trials import AliasMalformed, AliasTaken

ALIASES: Final = {
    UseRole.COMPLETION: "pilot-complete",
    UseRole.CHAT: "pilot-chat",
    UseRole.EDIT: "pilot-edit",
    UseRole.AGENT: "pilot-agent",
}
# What developers may send has to fit whoever's turn it is, so the longest context is at most this
# many times the shortest.
CONTEXT_FACTOR: Final = 2
FEWEST: Final = 2
_CHAT, _TEXT, _FIM = "chat/completions", "completions", "fim/completions"
_SEED_BYTES: Final = 32


class TooFewArms(Exception):
    """One candidate alone takes no turns."""


class NotOnTrial(Exception):
    """A candidate is not on trial in the pilot."""


class ArmsDisagree(Exception):
    """A developer would notice whose turn it is, or code would go elsewhere; `reasons` says why."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = tuple(reasons)


class RotatesAlready(Exception):
    """The role has a rotation, or the candidate takes turns in this one."""


class RotationEnded(Exception):
    """The rotation has ended; an alias means the same for good, so it never starts again."""


def disagreements(candidates: Iterable[Candidate], role: str) -> list[str]:
    """Return why candidates may not take turns in a role, in sentences; none where they may.

    Reads each candidate's provider.
    """
    arms = sorted(candidates, key=lambda each: each.position)
    return [
        *(f"{each.name} is retired." for each in arms if each.state == CandidateState.RETIRED),
        *_serving(arms, role),
        *_places(arms),
        *_contexts(arms),
        *_protocols(arms),
    ]


def cautions(candidates: Iterable[Candidate]) -> list[str]:
    """Return what does not keep candidates from taking turns, but ought to be known."""
    arms = sorted(candidates, key=lambda each: each.position)
    told = []
    if arms and all(each.context_tokens is None for each in arms):
        told.append("How long a context they take is not known: nothing was compared.")
    told += [
        f"{each.name} is paused: until it is resumed, the next in turn answers for it."
        for each in arms
        if each.state == CandidateState.PAUSED
    ]
    return told


def _serving(arms: Sequence[Candidate], role: str) -> list[str]:
    told = []
    for each in arms:
        serves = each.provider.serves
        if role == UseRole.COMPLETION:
            by_text = _TEXT in serves and (SUFFIX in serves or bool(each.fim_template))
            if not by_text and _FIM not in serves:
                told.append(
                    f"{each.name} cannot fill in code: it needs a fill-in-the-middle template, or "
                    "a provider that serves fim/completions or suffix."
                )
        elif _CHAT not in serves:
            told.append(f"{each.name} does not chat: its provider does not serve {_CHAT}.")
        elif role == UseRole.AGENT and not each.has_tools:
            told.append(f"{each.name} calls no tools, which agents need.")
    return told


def _places(arms: Sequence[Candidate]) -> list[str]:
    places = {each.provider.residence for each in arms}
    if len(places) < 2:
        return []
    where = [
        f"{each.name}: {Residence(each.provider.residence).label.partition(':')[0].lower()}"
        for each in arms
    ]
    return [f"Code would go to different classes of place ({'; '.join(where)})."]


def _contexts(arms: Sequence[Candidate]) -> list[str]:
    known = [each for each in arms if each.context_tokens is not None]
    unknown = [each.name for each in arms if each.context_tokens is None]
    if known and unknown:
        names = " and ".join(unknown)
        return [f"Type how many tokens of context {names} takes: for others it is known."]
    if not known:
        return []
    sizes = {each.name: each.context_tokens or 0 for each in known}
    short, long = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[long] <= CONTEXT_FACTOR * sizes[short]:
        return []
    return [
        f"Their contexts differ by more than a factor of {CONTEXT_FACTOR}: {short} takes "
        f"{sizes[short]:,} tokens, {long} {sizes[long]:,}."
    ]


def _protocols(arms: Sequence[Candidate]) -> list[str]:
    if len({each.provider.driver for each in arms}) < 2:
        return []
    which = "; ".join(f"{each.name}: {each.provider.driver}" for each in arms)
    return [f"They are reached by different protocols ({which})."]


@transaction.atomic
def start_rotation(
    *,
    pilot: Pilot,
    role: str,
    candidate_ids: Iterable[int],
    now: datetime,
    alias: str = "",
    actor: Person | None = None,
) -> Rotation:
    """Have candidates on trial take turns behind one alias, from today's working day on, or from
    the pilot's first. Without an alias it is the role's usual one.

    Raises PilotClosed, RotatesAlready, TooFewArms, NotOnTrial, ArmsDisagree, AliasMalformed,
    AliasTaken.
    """
    locked = open_pilot(pilot)
    if Rotation.objects.filter(pilot=locked, role=role, ended_at__isnull=True).exists():
        raise RotatesAlready(role)
    arms = _on_trial(locked, candidate_ids)
    if len(arms) < FEWEST:
        raise TooFewArms(role)
    if reasons := disagreements(arms, role):
        raise ArmsDisagree(reasons)
    name = _alias(locked, role, alias)
    rotation = Rotation.objects.create(
        pilot=locked,
        role=role,
        alias=name,
        seed=secrets.token_hex(_SEED_BYTES),
        residence=arms[0].provider.residence,
        created_at=now,
    )
    first_day = working_day(max(now, locked.period.start), locked.zone_info)
    ids = sorted(each.id for each in arms)
    RotationEra.objects.create(rotation=rotation, first_day=first_day, candidate_ids=ids)
    happened(locked, f"Blind rotation for {role} began, behind {name}", now=now, actor=actor)
    names = ", ".join(each.slug for each in arms)
    detail = {"alias": name, "role": role, "candidates": names, "from": str(first_day)}
    note(locked, "rotation started", actor, now, detail)
    return rotation


@transaction.atomic
def add_arm(
    *, rotation: Rotation, candidate: Candidate, now: datetime, actor: Person | None = None
) -> date:
    """Let one more candidate take turns from the next working day on; return that day.

    Raises PilotClosed, RotationEnded, NotOnTrial, RotatesAlready, ArmsDisagree.
    """
    pilot = open_pilot(rotation.pilot)
    standing = _standing(rotation)
    arms = newest_era(standing).candidate_ids
    if candidate.id in arms:
        raise RotatesAlready(candidate.slug)
    among = _on_trial(pilot, [*arms, candidate.id])
    if reasons := disagreements(among, standing.role):
        raise ArmsDisagree(reasons)
    first_day = take_turns(standing, (*arms, candidate.id), pilot=pilot, now=now)
    happened(
        pilot,
        f"{candidate.name} takes turns behind {standing.alias} from {first_day:%d %B} on",
        now=now,
        candidate=candidate,
        actor=actor,
    )
    detail = {"alias": standing.alias, "candidate": candidate.slug, "from": str(first_day)}
    note(pilot, "candidate joined rotation", actor, now, detail)
    return first_day


@transaction.atomic
def end_rotation(*, rotation: Rotation, now: datetime, actor: Person | None = None) -> None:
    """Let an alias stand for nobody from now on. What it stood for stays blind.

    Raises PilotClosed, RotationEnded.
    """
    pilot = open_pilot(rotation.pilot)
    standing = _standing(rotation)
    standing.ended_at = now
    standing.save(update_fields=["ended_at"])
    happened(pilot, f"Blind rotation behind {standing.alias} ended", now=now, actor=actor)
    note(pilot, "rotation ended", actor, now, {"alias": standing.alias})


def _standing(rotation: Rotation) -> Rotation:
    locked = Rotation.objects.select_for_update().get(id=rotation.id)
    if locked.ended_at is not None:
        raise RotationEnded(locked.alias)
    return locked


def _on_trial(pilot: Pilot, candidate_ids: Iterable[int]) -> list[Candidate]:
    wanted = set(candidate_ids)
    found = [trial.candidate for trial in trials_of(pilot) if trial.candidate_id in wanted]
    if len(found) < len(wanted):
        raise NotOnTrial(pilot.slug)
    return found


def _alias(pilot: Pilot, role: str, alias: str) -> str:
    """Names of trials and rotations that are over count too: stored calls are told apart by them.

    Raises AliasMalformed, AliasTaken.
    """
    taken = {COMPARED, SCREENED}
    taken |= set(Trial.objects.filter(pilot=pilot).values_list("alias", flat=True))
    taken |= set(Rotation.objects.filter(pilot=pilot).values_list("alias", flat=True))
    if not alias:
        usual = ALIASES[UseRole(role)]
        numbered = (f"{usual}-{number}" for number in range(2, len(taken) + 3))
        return next(name for name in (usual, *numbered) if name not in taken)
    if not ALIAS.fullmatch(alias):
        raise AliasMalformed(alias)
    if alias in taken:
        raise AliasTaken(alias)
    return alias
