"""The rail of every page: at most nine entries by role, and the pilots one may switch to."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.http import HttpRequest
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.core.pages import is_fragment
from apps.feedback.due import due_count
from apps.metrics.queries import has_called
from apps.pilots.models import Pilot
from apps.pilots.queries import pilots_for

_PILOT_PATH = re.compile(r"^/pilots/([-\w]+)/(?:([-\w]+)/)?")

# Entries by role: a label, and a page of the pilot in view or a path from the root.
RAIL: dict[str, list[tuple[str, str]]] = {
    Role.ADMIN: [
        ("Overview", ""),
        ("Candidates", "candidates/"),
        ("Compare", "compare/"),
        ("Calls", "calls/"),
        ("People", "people/"),
        ("Connect", "connect/"),
        ("Rate", "rate/"),
        ("Set-up", "/setup/"),
    ],
    Role.LEAD: [
        ("Overview", ""),
        ("Candidates", "candidates/"),
        ("Compare", "compare/"),
        ("Calls", "calls/"),
        ("People", "people/"),
        ("Connect", "connect/"),
        ("Rate", "rate/"),
    ],
    Role.DEVELOPER: [
        ("Connect", "connect/"),
        ("Rate", "rate/"),
        ("My calls", "calls/"),
        ("About me", "/me/"),
    ],
    Role.VIEWER: [("Overview", ""), ("Candidates", "candidates/"), ("Compare", "compare/")],
}


# Pages that stand under an entry of another name.
UNDER: Final = {
    "today": "rate",
    "blind": "rate",
    "side-by-side": "rate",
    "votes": "rate",
    "rotation": "compare",
    "log": "",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the rail."""

    label: str
    url: str
    current: bool = False
    badge: str = ""


@dataclass(frozen=True, slots=True)
class PilotEntry:
    """One pilot of the switcher."""

    name: str
    url: str
    note: str
    current: bool


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give base.html its rail. One query; none for a visitor or a fragment."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or is_fragment(request):
        return {}
    pilots = pilots_in_view(user)
    match = _PILOT_PATH.match(request.path)
    slug = match.group(1) if match else ""
    pilot = next((each for each in pilots if each.slug == slug), pilots[0] if pilots else None)
    page = f"{match.group(2)}/" if match and match.group(2) else ""
    nav = entries(user.role, pilot, request.path)
    return {
        "nav": nav if pilot is None else with_badge(nav, user, pilot),
        "pilot": pilot,
        "pilots": switcher(user.role, pilots, pilot, page) if len(pilots) > 1 else [],
        "account_links": account_links(user.role),
    }


def pilots_in_view(user: User) -> list[Pilot]:
    """Give the pilots that a user may look at: running ones first, the newest of them first."""
    now = timezone.now()
    return sorted(pilots_for(user), key=lambda pilot: not pilot.is_running(at=now))


def landing_page(user: User, pilot: Pilot) -> str:
    """Give the page of a pilot where a role begins: developers connect before they rate."""
    if user.role != Role.DEVELOPER:
        return f"/pilots/{pilot.slug}/"
    page = "rate" if has_called(pilot.id, user.person_id) else "connect"
    return f"/pilots/{pilot.slug}/{page}/"


def entries(role: str, pilot: Pilot | None, path: str) -> list[Entry]:
    """Give the rail of a role. Pages of a pilot are left out while there is none."""
    found = []
    for label, page in RAIL[role]:
        if page.startswith("/"):
            found.append(Entry(label, page))
        elif pilot is not None:
            found.append(Entry(label, f"/pilots/{pilot.slug}/{page}"))
    match = _PILOT_PATH.match(path)
    if match and match.group(2) in UNDER:
        path = f"/pilots/{match.group(1)}/{UNDER[match.group(2)]}/".replace("//", "/")
    # The longest address that the path begins with: every page of a pilot begins like its overview.
    best = max(
        (entry for entry in found if path.startswith(entry.url)),
        key=lambda entry: len(entry.url),
        default=None,
    )
    return [replace(entry, current=entry is best) for entry in found]


def with_badge(nav: list[Entry], user: User, pilot: Pilot) -> list[Entry]:
    """Say beside Rate how much waits for an answer."""
    rate = f"/pilots/{pilot.slug}/rate/"
    if not any(entry.url == rate for entry in nav):
        return nav
    count = due_count(user.person, pilot, timezone.now())
    badge = str(count) if count else ""
    return [replace(entry, badge=badge) if entry.url == rate else entry for entry in nav]


def switcher(role: str, pilots: list[Pilot], current: Pilot | None, page: str) -> list[PilotEntry]:
    """Give a link to the same page of every pilot."""
    pages = {target for _, target in RAIL[role] if not target.startswith("/")}
    # One candidate or one call of this pilot is not in that one: its list is.
    page = page if page in pages else min(pages, key=len)
    now = timezone.now()
    return [
        PilotEntry(
            pilot.name, f"/pilots/{pilot.slug}/{page}", pilot_state(pilot, now), pilot is current
        )
        for pilot in pilots
    ]


def pilot_state(pilot: Pilot, now: datetime) -> str:
    """Say in one word where a pilot stands."""
    if pilot.closed_at is not None:
        return "Closed"
    if pilot.is_draft:
        return "Draft"
    if now < pilot.period.start:
        return "Not begun"
    return "Running" if now < pilot.period.end else "Ended"


def account_links(role: str) -> list[Entry]:
    """Give the account menu's links; the rail of developers has the second already."""
    links = [Entry("Your account", "/account/")]
    return links if role == Role.DEVELOPER else [*links, Entry("What is stored about me", "/me/")]
