"""Opens whatever a developer may open: every URL there is, with what their pilot has for it."""

from dataclasses import dataclass
from itertools import product as combinations

from django.urls import URLPattern, get_resolver, reverse

from apps.accounts.models import Role
from tests.accounts.expected_access import EXPECTED

# allauth's own, of accounts alone, and what ends the walk.
LAST = ("account_logout", "sign_out_everywhere")
# Whoever can walk has come in, and has no token of these.
NOT_THEIRS = ("join", "break_glass_sign_in")
FORM = {
    "score": "2",
    "rating": "up",
    "outcome": "left",
    "answer": "left",
    "prompt": "Why is the sky blue?",
    "reason": "It was slow",
    "comment": "Well",
    "role": "chat",
    "name": "laptop",
    "channel": "page",
    "hour": "16",
}


@dataclass(frozen=True)
class Visit:
    """One answer to a rater: all of its bytes, and what it was asked for."""

    name: str
    what: str
    status: int
    text: str


def open_urls():
    """Yield names and parameters of all URLs that a developer may open."""
    yield from _open(get_resolver().url_patterns, ())


def _open(patterns, params):
    for entry in patterns:
        known = (*params, *entry.pattern.regex.groupindex)
        if not isinstance(entry, URLPattern):
            yield from _open(entry.url_patterns, known)
        elif entry.name and Role.DEVELOPER in EXPECTED.get(entry.name, ()):
            yield entry.name, known


def values_of(name, param, product):
    """Return what stands for a parameter. A KeyError says that a new page has to be fed here."""
    if param == "token":
        return [product.tokens[name] if name not in NOT_THEIRS else "none-of-theirs"]
    some = [str(product.calls[number].id) for number in (0, 3, 6)]
    known = {
        "slug": [product.pilot.slug],
        "reference": some,
        "call_id": some,
        "comparison_id": [str(each.id) for each in product.comparisons],
        "key_id": [product.key.id],
        "alias": ["pilot-edit"],
        "kind": ["ratings", "days", "votes", "answers"],
        "key": ["1"],
        "uidb36": ["1"],
        "provider_id": ["sso"],
    }
    return known[param]


def addresses(product):
    """Yield names and paths."""
    for name, params in open_urls():
        choices = [values_of(name, param, product) for param in params]
        for chosen in combinations(*choices):
            yield name, reverse(name, kwargs=dict(zip(params, chosen, strict=True)))


def walk(client, product, *, posts=True):
    """Return everything that a developer is told on a walk through the whole product."""
    found = sorted(addresses(product), key=lambda each: each[0] in LAST)
    visits = []
    client.raise_request_exception = False
    for name, path in found:
        for headers in ({}, {"HX-Request": "true"}):
            visits.append(_visit(name, f"GET {path}", client.get(path, headers=headers)))
    for name, path in found if posts else ():
        client.force_login(product.developer)
        said = client.post(path, FORM)
        visits.append(_visit(name, f"POST {path}", said))
        if said.status_code == 302 and said["location"].startswith("/"):
            visits.append(_visit(name, f"POST {path} and back", client.get(said["location"])))
    return visits


def _visit(name, what, response):
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = "\n".join(f"{key}: {value}" for key, value in response.headers.items())
    text = f"{headers}\n{response.cookies.output()}\n{body.decode('utf-8', 'replace')}"
    return Visit(name, what, response.status_code, text)
