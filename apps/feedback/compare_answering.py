"""Gets the answers of a comparison from the gateway, all at once, and stores them together."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from apps.catalog.models import Candidate
from apps.changes.actions import claim
from apps.core.internal_tokens import derive_key, make_token
from apps.core.secrets import CannotOpen, open_token
from apps.feedback.compare_client import Reply, ask
from apps.feedback.comparisons import ANSWERED_WITHIN, give_up, is_running, store_replies
from apps.feedback.models import Comparison
from apps.pilots.blindness import COMPARED, SCREENED
from apps.pilots.models import Trial

# So long an answer may take.
SECONDS: Final = 120.0
# A task that begins later asks nobody: the answers would be paid for and come too late.
_BEGINS_WITHIN: Final = ANSWERED_WITHIN - timedelta(seconds=SECONDS + 5)


def answer(*, comparison_id: UUID, clock: Callable[[], datetime], seconds: float = SECONDS) -> bool:
    """Ask all candidates of a comparison at once and store what they said; False if too late.

    `clock` is asked twice: answers take their time.
    """
    now = clock()
    comparison = Comparison.objects.filter(id=comparison_id).first()
    if comparison is None or not is_running(comparison, now=now):
        return False
    if now > comparison.created_at + _BEGINS_WITHIN:
        give_up(comparison_id=comparison_id, now=now)
        return False
    # A task may be handed out twice, and every answer is paid for.
    if not claim(job="comparison", period=str(comparison_id), now=now):
        return False
    try:
        prompt = open_token(comparison.prompt, settings.ENCRYPTION_KEYS)
    except CannotOpen:
        give_up(comparison_id=comparison_id, now=now)
        return False
    return store_replies(
        comparison_id=comparison_id,
        prompt=prompt,
        replies=_ask_all(comparison, prompt, now=now, seconds=seconds),
        names=_names(comparison),
        now=clock(),
    )


def _ask_all(
    comparison: Comparison, prompt: str, *, now: datetime, seconds: float
) -> Mapping[int, Reply]:
    key = derive_key(settings.SECRET_KEY)
    answers = comparison.answers.order_by("side").values_list("candidate_id", flat=True)
    slugs = dict(Candidate.objects.filter(id__in=list(answers)).values_list("id", "slug"))

    def asked(candidate_id: int) -> Reply:
        token = make_token(
            key,
            pilot_id=comparison.pilot_id,
            person_id=comparison.person_id,
            candidate_id=candidate_id,
            task=comparison.role,
            alias=COMPARED if comparison.is_blind else SCREENED,
            expires_at=now + timedelta(seconds=seconds + 5),
        )
        return ask(
            url=settings.GATEWAY_URL,
            token=token,
            prompt=prompt,
            candidate=slugs[candidate_id],
            seconds=seconds,
            ca_file=settings.CA_FILE,
        )

    # Threads that only wait for the network: none of them asks the database anything.
    with ThreadPoolExecutor(len(slugs)) as pool:
        return dict(zip(slugs, pool.map(asked, slugs), strict=True))


def _names(comparison: Comparison) -> list[str]:
    """All names by which somebody in the pilot might know who answered."""
    rows = Trial.objects.filter(pilot_id=comparison.pilot_id).values_list(
        "alias", "candidate__name", "candidate__slug", "candidate__upstream_model"
    )
    return sorted({name for row in rows for name in row})
