"""The audit trail: who changed what and when. No secret may ever get in."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from django.core.serializers.json import DjangoJSONEncoder

from apps.accounts.models import AuditEntry, Person
from apps.core.keys import is_well_formed

# Whole words, so that "prompt_tokens" may be told but "token" may not.
SECRET_WORDS: Final = frozenset(
    {
        "apikey",
        "authorization",
        "bearer",
        "cookie",
        "credential",
        "credentials",
        "passphrase",
        "password",
        "private",
        "secret",
        "secrets",
        "token",
    }
)
SECRET_PAIRS: Final = frozenset({("api", "key"), ("encryption", "key"), ("private", "key")})


class SecretInDetail(ValueError):
    """A detail looks like a secret. The message names where, never what."""


def record(
    *,
    actor: Person | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
    now: datetime,
) -> AuditEntry:
    """Add an entry. Call it in the transaction of the change itself.

    `actor` is None for the system. `action` is a verb phrase such as "price changed"; `subject`
    names the thing by its slug, and a person by `person_subject`, so that erasing someone leaves
    no name behind. Detail may hold dates, Decimals and UUIDs; a list of two is what a field was and
    what it is now. Raises SecretInDetail.
    """
    plain = json.loads(json.dumps(dict(detail or {}), cls=DjangoJSONEncoder))
    _refuse_secrets(plain, where="detail")
    return AuditEntry.objects.create(
        at=now, actor=actor, action=action, subject=subject[:200], detail=plain
    )


def record_person(
    actor: Person | None, action: str, person: Person, detail: Mapping[str, Any], now: datetime
) -> AuditEntry:
    """Add an entry about a person. Raises SecretInDetail."""
    return record(
        actor=actor, action=action, subject=person_subject(person), detail=detail, now=now
    )


def person_subject(person: Person) -> str:
    """Return how an entry names a person: the page shows their present name beside it."""
    return f"person {person.pseudonym}"


def _refuse_secrets(value: Any, *, where: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            if _looks_secret(name):
                raise SecretInDetail(f"{where} has a field named {name!r}")
            _refuse_secrets(inner, where=f"{where}.{name}")
    elif isinstance(value, list):
        for inner in value:
            _refuse_secrets(inner, where=where)
    elif isinstance(value, str) and any(map(is_well_formed, re.findall(r"\w+", value))):
        raise SecretInDetail(f"{where} holds a key")


def _looks_secret(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    lowered = [word.lower() for word in words]
    if not SECRET_WORDS.isdisjoint(lowered):
        return True
    return not SECRET_PAIRS.isdisjoint(pairwise(lowered))
