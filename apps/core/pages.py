"""A page and its fragment from one view, told in the time zone of what it shows."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers


def is_fragment(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a part of the page."""
    htmx: Any = getattr(request, "htmx", None)
    # It asks for a whole page again when the visitor goes back past its history cache.
    return bool(htmx) and not htmx.history_restore_request


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    fragment: str,
    zone: ZoneInfo | None = None,
) -> HttpResponse:
    """Render the whole page, or only its fragment when htmx asks.

    `zone` is the pilot's: its days are told in it, whoever reads them.
    """
    with timezone.override(zone or timezone.get_default_timezone()):
        response = render(request, fragment if is_fragment(request) else template, context)
    patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
    return response
