"""How a candidate can answer a request: as it came, or rendered where its provider cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.gateway.contract import ENDPOINTS, SUFFIX, CandidateRoute, ProviderRoute
from apps.gateway.drivers import fim
from apps.gateway.request import NotAcceptable, Request

FIM: Final = "fim/completions"
TEXT: Final = "completions"


@dataclass(frozen=True, slots=True)
class Way:
    """How a provider is asked: at which path, whether with a prompt in the candidate's template,
    whether without an empty suffix, and whether the text that comes back becomes a chat's answer.
    """

    path: str
    is_rendered: bool = False
    is_chat_of_text: bool = False
    drops_suffix: bool = False


_AS_IT_CAME: Final = {endpoint: Way(endpoint) for endpoint in ENDPOINTS}
_WITH_SUFFIX: Final = {TEXT: Way(TEXT), FIM: Way(TEXT, is_chat_of_text=True)}
_WITHOUT_SUFFIX: Final = Way(TEXT, drops_suffix=True)
_RENDERED: Final = {
    TEXT: Way(TEXT, is_rendered=True),
    FIM: Way(TEXT, is_rendered=True, is_chat_of_text=True),
}


def way_of(
    endpoint: str, request: Request, candidate: CandidateRoute, provider: ProviderRoute
) -> Way | None:
    """Return how a candidate can answer a request to an endpoint, or None if it cannot."""
    serves = provider.serves
    fills_in = endpoint == FIM or (request.suffix is not None and endpoint == TEXT)
    if not fills_in or (endpoint == FIM and FIM in serves):
        return _AS_IT_CAME[endpoint] if endpoint in serves else None
    if TEXT not in serves:
        return None
    if SUFFIX in serves:
        return _WITH_SUFFIX[endpoint]
    if candidate.fim_template:
        return _RENDERED[endpoint]
    # At the end of a file editors say that nothing follows. Then there is no gap to be filled.
    return _WITHOUT_SUFFIX if endpoint == TEXT and request.suffix == "" else None


def can_answer(
    endpoint: str, request: Request, candidate: CandidateRoute, provider: ProviderRoute
) -> bool:
    """Tell whether a candidate can answer just this request."""
    way = way_of(endpoint, request, candidate, provider)
    if way is None or not way.is_rendered:
        return way is not None
    try:
        fim.check(request)
    except NotAcceptable:
        return False
    return True
