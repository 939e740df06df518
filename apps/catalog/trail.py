"""What every change of the catalog leaves: an entry in the audit trail and newer routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.accounts import audit
from apps.accounts.models import Person
from apps.catalog.models import Candidate, Provider
from apps.changes.actions import routes_changed

# Certificates and templates are long; the trail tells that they changed.
LONGEST = 200


def note(
    subject: Provider | Candidate,
    action: str,
    actor: Person | None,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record who changed what, and have the routes published once this is committed."""
    name = f"{subject._meta.model_name} {subject.slug}"
    audit.record(actor=actor, action=action, subject=name, detail=detail, now=now)
    routes_changed()


def changes_of(row: Provider | Candidate, fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Set the fields and return, for those that differ, what they were and what they are."""
    changed = {}
    for name, value in fields.items():
        if (before := getattr(row, name)) != value:
            changed[name] = [str(before)[:LONGEST], str(value)[:LONGEST]]
            setattr(row, name, value)
    return changed
