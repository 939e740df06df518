"""Where programs send data and nothing takes it: they are told in JSON, not with a page."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.access import allow_anyone
from apps.gateway.errors import error_body


@csrf_exempt  # programs carry no cookie, and nothing happens here
@allow_anyone
def unknown_ingest(request: HttpRequest) -> HttpResponse:
    """Answer 404 in the shape of the API, whatever is sent."""
    message = f"There is nothing at {request.path[:200]}."
    body = error_body(message, 404, code="unknown_path")
    return HttpResponse(body, status=404, content_type="application/json")
