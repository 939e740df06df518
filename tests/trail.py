"""What actions leave behind: a new version of the routes, and entries in the audit trail."""

from apps.accounts.models import AuditEntry
from apps.changes.models import RoutesVersion


def versions():
    return RoutesVersion.objects.values_list("version", flat=True).first() or 0


def audited():
    return list(AuditEntry.objects.order_by("id").values_list("action", "subject", "detail"))
