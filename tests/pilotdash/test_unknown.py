import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/ingest", "/ingest/", "/ingest/nothing", "/ingest/a/b/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_taken_in_is_refused_in_json(path, method):
    client = Client(enforce_csrf_checks=True)

    response = getattr(client, method)(path)

    error = {
        "message": f"There is nothing at {path}.",
        "type": "not_found_error",
        "code": "unknown_path",
        "param": None,
    }
    assert (response.status_code, response.json()) == (404, {"error": error})
