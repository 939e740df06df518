"""What administrators are told when an action refuses: the field it is about, and a sentence."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.forms import Form
from django.utils import timezone

from apps.catalog import actions, candidates, costs
from apps.core import refusals

T = TypeVar("T")

SENTENCES: Final[refusals.Sentences] = {
    actions.SlugTaken: ("slug", "This one is taken; give another."),
    actions.CredentialMalformed: (
        "credential",
        "A key is one line without blanks. Check what was copied.",
    ),
    actions.CertificateMalformed: (
        "ca_pem",
        "These are not PEM certificates: -----BEGIN CERTIFICATE----- and so on.",
    ),
    actions.ProviderRetired: ("", "This provider is retired and changes no more."),
    actions.ProviderInUse: ("", "Retire its candidates first: they would stop answering."),
    candidates.CandidateRetired: ("", "This candidate is retired and changes no more."),
    candidates.FimTemplateMalformed: ("fim_template", "Name {prefix} and {suffix}, each once."),
    candidates.FallsBackToItself: (
        "fallback",
        "Choose another one: it cannot stand in for itself.",
    ),
    candidates.FallsBackElsewhere: (
        "fallback",
        "There code would go to another class of place than developers have been told.",
    ),
    costs.StartsInTheFuture: ("", "This lies in the future; enter it once it applies."),
    costs.HostingOverlaps: (
        "started_at",
        "Its machines are counted already during some of this time: correct that entry instead.",
    ),
    costs.HostingEndsBeforeItStarts: ("ended_at", "This is not after the start."),
}


def attempt(form: Form, action: Callable[[], T]) -> T | None:
    """Do it, or add to the form why not and return None."""
    try:
        return refusals.attempt(form, action, SENTENCES)
    except actions.AddressRefused as refused:
        form.add_error("base_url", refused.verdict.rule)
        if refused.verdict.what_to_add:
            advice = f"The operator would set {refused.verdict.what_to_add}"
            form.add_error("base_url", advice)
    except costs.PriceInThePast as past:
        since = timezone.localtime(past.since)
        sentence = f"A price in force since {since:%-d %b %Y %H:%M} would be overwritten."
        refusals.tell(form, "valid_from", sentence)
    return None


def sentence(problem: Exception) -> str:
    """Return what to say where there is no form."""
    return SENTENCES[type(problem)][1]
