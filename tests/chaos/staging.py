"""The product's side of the set test: a pilot with keys to begin with, the rows at the end."""

import json

import psycopg
from psycopg.rows import class_row

from tests.chaos.verdict import Row
from tests.product import Product

STAGE = """
from datetime import timedelta
from django.utils import timezone
from apps.accounts.actions import create_person
from apps.catalog.actions import add_provider
from apps.catalog.candidates import register_candidate
from apps.pilots.actions import add_trial, create_pilot, enroll, issue_key
now = timezone.now()
today = now.date()
provider = add_provider(slug="up", name="Up", base_url=argv[0], auth="none", now=now)
candidate = register_candidate(
    provider=provider, slug="c", name="C", upstream_model="m", now=now)
pilot = create_pilot(slug="p", name="P", starts_on=today - timedelta(days=1),
    ends_on=today + timedelta(days=9), now=now)
add_trial(pilot=pilot, candidate=candidate, alias="chat", now=now)
result = [
    issue_key(enrollment=enroll(pilot=pilot, person=create_person(now=now), now=now), now=now)[1]
    for _ in range(int(argv[1]))
]
"""
ROWS = """
SELECT
    id::text, client_request_id AS marker, outcome, usage_source,
    prompt_tokens, cached_tokens, completion_tokens
FROM usage_call
WHERE client_request_id LIKE %(markers)s
"""
DEAD_LETTERS = "SELECT count(*) FROM usage_deadletter"


def stage(product: Product, upstream_url: str, keys: int) -> list[str]:
    """Make a pilot with one candidate at the provider and return the keys of so many people."""
    issued: list[str] = product.django(STAGE, upstream_url, str(keys))
    return issued


def stored(product: Product, markers: str = "%") -> list[Row]:
    """Return the rows of calls whose marker is LIKE this. Raises psycopg.Error."""
    with _connect(product) as connection, connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(ROWS, {"markers": markers}).fetchall()


def dead_letters(product: Product) -> int:
    with _connect(product) as connection:
        row = connection.execute(DEAD_LETTERS).fetchone()
        return int(row[0]) if row else 0


def _connect(product: Product) -> "psycopg.Connection":
    saved = json.loads((product.data / "environment.json").read_text())
    return psycopg.connect(saved["DATABASE_URL"], connect_timeout=5)
