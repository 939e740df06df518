"""Pilots whose candidates are compared, and comparisons in every state."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings

from apps.core.secrets import open_token
from apps.core.uuid7 import new_uuid7
from apps.feedback.compare_client import Reply
from apps.feedback.comparisons import compare_blind, compare_side_by_side, store_replies
from apps.feedback.models import Comparison
from apps.pilots.models import Stage
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_pilot,
    make_provider,
    make_trial,
    make_user,
)

SECOND = timedelta(seconds=1)


@dataclass
class Contest:
    """A pilot with candidates that answer, and a developer in it."""

    pilot: Any
    candidates: list
    user: Any
    person: Any

    def ask(self, prompt="Why?", *, now=NOON, person=None, chance=None, **more):
        return compare_blind(
            pilot=self.pilot,
            person=person or self.person,
            prompt=prompt,
            now=now,
            chance=chance or random.Random(1),
            **more,
        )

    def screen(self, prompt="Why?", *, now=NOON, person=None, candidates=None):
        return compare_side_by_side(
            pilot=self.pilot,
            person=person or self.person,
            prompt=prompt,
            candidate_ids=[each.id for each in candidates or self.candidates],
            now=now,
        )

    def answered(self, comparison, *texts, now=None, **fields):
        """Store these answers, left one first; a text of None has failed."""
        replies = {
            answer.candidate_id: Reply(
                **{
                    "text": text or "",
                    "call_id": new_uuid7(),
                    "first_content_ms": 200,
                    "total_ms": 1_000 * (answer.side + 1),
                    "problem": "" if text is not None else "failed",
                }
                | fields
            )
            for answer, text in zip(comparison.answers.order_by("side"), texts, strict=True)
        }
        store_replies(
            comparison_id=comparison.id,
            prompt="Why?",
            replies=replies,
            names=["Mistral 7B"],
            now=now or comparison.created_at + 10 * SECOND,
        )
        return Comparison.objects.get(id=comparison.id)

    def ready(self, *texts, **fields):
        """A blind comparison whose answers are there."""
        return self.answered(self.ask(**fields), *(texts or ("One.", "Two.")))

    def colleague(self):
        user = make_user()
        make_enrollment(self.pilot, user.person)
        return user


def make_contest(count=2, *, stage=Stage.TRIAL, **fields):
    pilot = make_pilot(stage=stage, **fields)
    provider = make_provider()
    candidates = [make_candidate(provider=provider) for _ in range(count)]
    for candidate in candidates:
        make_trial(pilot, candidate)
    user = make_user()
    make_enrollment(pilot, user.person)
    return Contest(pilot, candidates, user, user.person)


def texts(comparison):
    """What its answers say, left one first."""
    rows = comparison.answers.order_by("side").values_list("text", flat=True)
    return [open_token(text, settings.ENCRYPTION_KEYS) if text else "" for text in rows]
