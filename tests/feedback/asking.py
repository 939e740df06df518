"""The address of the feedback API, and how its refusals are read."""

URL = "/v1/feedback"


def error(response):
    body = response.json()["error"]
    assert sorted(body) == ["code", "message", "param", "type"]
    assert response["cache-control"].startswith("max-age=0, no-cache, no-store")
    return response.status_code, body["type"], body["code"], body["param"]
