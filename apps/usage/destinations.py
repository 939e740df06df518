"""Which model names developers may send, what stands behind each, and where their code goes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from apps.catalog.models import Candidate, CandidateState, Residence
from apps.gateway.contract import SUFFIX
from apps.pilots.arms import newest_era, standing_rotations
from apps.pilots.blindness import hidden_candidates
from apps.pilots.models import Pilot, Rotation, Trial, UseRole
from apps.usage.aliases import CHAT, TEXT, Alias

RESIDENCES: Final = {
    Residence.INSIDE: "stays on our own machines",
    Residence.PRIVATE: "goes to our own cloud account",
    Residence.OUTSIDE: "leaves to another company",
}
# Providers that clients can be pointed at: those that speak OpenAI's protocol.
OPENAI_DRIVER: Final = "openai"
FIM: Final = "fim/completions"
# What a blind name is for: nothing else is offered for it, so that each role has one name.
_OF_COMPLETION: Final = frozenset({FIM})


@dataclass(frozen=True, slots=True)
class Destination:
    """Where code goes that is sent to an alias.

    Without a candidate it is a blind alias: of who takes turns, their class of place alone is told.
    """

    alias: str
    sentence: str
    is_outside: bool
    is_paused: bool
    candidate: Candidate | None = None
    host: str = ""
    use: str = ""


@dataclass(frozen=True, slots=True)
class BlindName:
    """A blind alias and who takes turns behind it. For the server's own use, never for pages."""

    rotation: Rotation
    arms: Sequence[Candidate]


def open_trials(pilot: Pilot, trials: Iterable[Trial]) -> list[Trial]:
    """Return what is on trial under a name of its own."""
    hidden = hidden_candidates(pilot)
    return [trial for trial in trials if trial.candidate_id not in hidden]


def blind_names(pilot: Pilot) -> list[BlindName]:
    """Return the blind aliases of a pilot, in three queries at most."""
    rotations = standing_rotations(pilot)
    ids = {id_ for each in rotations for id_ in newest_era(each).candidate_ids}
    known = Candidate.objects.select_related("provider").in_bulk(ids)
    return [
        BlindName(each, [known[id_] for id_ in newest_era(each).candidate_ids])
        for each in rotations
    ]


def destination(trial: Trial) -> Destination:
    """Say where the code of a call to a candidate goes."""
    candidate = trial.candidate
    provider = candidate.provider
    return Destination(
        trial.alias,
        _sentence(candidate),
        provider.residence == Residence.OUTSIDE,
        candidate.state != CandidateState.ACTIVE,
        candidate,
        f"{provider.name}, {provider.region}" if provider.region else provider.name,
    )


def blind_destination(name: BlindName) -> Destination:
    """Say where code goes behind a blind alias: it is the same class of place for all."""
    return Destination(
        name.rotation.alias,
        _sentence(name.arms[0]),
        any(each.provider.residence == Residence.OUTSIDE for each in name.arms),
        all(each.state != CandidateState.ACTIVE for each in name.arms),
        use=UseRole(name.rotation.role).label,
    )


def alias_of(trial: Trial) -> Alias:
    """Return what clients are told of a candidate under a name of its own."""
    candidate = trial.candidate
    return Alias(trial.alias, candidate.name, candidate.fim_template, candidate.provider.serves)


def blind_alias(name: BlindName) -> Alias:
    """Return what clients are told of a blind alias: no name, no template, only what all can do.

    The gateway renders the template of whoever's turn it is, and knows where that one stops.
    """
    serves = frozenset.intersection(*(_served(each) for each in name.arms))
    of_completion = name.rotation.role == UseRole.COMPLETION
    kept = serves & _OF_COMPLETION if of_completion else serves - _OF_COMPLETION
    return Alias(name.rotation.alias, "", "", tuple(sorted(kept)), name.rotation.role)


def is_reachable(candidate: Candidate) -> bool:
    return candidate.provider.driver == OPENAI_DRIVER


def _served(candidate: Candidate) -> frozenset[str]:
    serves = frozenset(candidate.provider.serves) - {"embeddings", "rerank", SUFFIX}
    fills_in = SUFFIX in candidate.provider.serves or bool(candidate.fim_template)
    if TEXT in serves and fills_in:
        serves |= {FIM}
    return serves if CHAT in serves else serves & _OF_COMPLETION


def _sentence(candidate: Candidate) -> str:
    return f"Your code {RESIDENCES[Residence(candidate.provider.residence)]}"
