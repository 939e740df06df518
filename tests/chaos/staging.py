"""The product's side of the set test: a pilot with keys to begin with, the rows at the end."""

import json
from decimal import Decimal
from typing import Any

import psycopg
import redis
from psycopg.rows import class_row

from apps.gateway.contract import LIMITS_PREFIX
from tests.chaos.verdict import Row
from tests.product import Product

# Money is limited, far above what is spent, so that it is counted: the prices are whole nano-USD a
# token, so nothing is rounded.
STAGE = """
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from apps.accounts.actions import create_person
from apps.catalog.actions import add_provider
from apps.catalog.candidates import register_candidate
from apps.catalog.costs import set_price
from apps.pilots.limits import Allowance, set_limit
from apps.pilots.actions import create_pilot, enroll, issue_key
from apps.pilots.trials import add_trial
now = timezone.now()
today = now.date()
provider = add_provider(slug="up", name="Up", base_url=argv[0], auth="none", now=now)
candidate = register_candidate(
    provider=provider, slug="c", name="C", upstream_model="m", now=now)
pilot = create_pilot(slug="p", name="P", starts_on=today - timedelta(days=1),
    ends_on=today + timedelta(days=9), now=now)
add_trial(pilot=pilot, candidate=candidate, alias="chat", now=now)
input_, cached, output = map(Decimal, argv[2:5])
set_price(candidate=candidate, input_usd_per_mtok=input_, cached_usd_per_mtok=cached,
    output_usd_per_mtok=output, now=now)
set_limit(pilot=pilot, scope="pilot", now=now,
    allowance=Allowance(usd=Decimal(argv[5]), period="pilot"))
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
COST = "SELECT coalesce(sum(cost_usd), 0) FROM usage_call"
DEAD_LETTERS = "SELECT count(*) FROM usage_deadletter"


def stage(
    product: Product,
    upstream_url: str,
    keys: int,
    *,
    prices: tuple[str, str, str] = ("2", "0.5", "10"),
    money: Decimal = Decimal(1_000_000),
) -> list[str]:
    """Make a pilot with one candidate at the provider and return the keys of so many people.

    Prices of input, cached input and output are in USD per million tokens, `money` is in USD.
    """
    issued: list[str] = product.django(STAGE, upstream_url, str(keys), *prices, str(money))
    return issued


def stored(product: Product, markers: str = "%") -> list[Row]:
    """Return the rows of calls whose marker is LIKE this. Raises psycopg.Error."""
    with _connect(product) as connection, connection.cursor(row_factory=class_row(Row)) as cursor:
        return cursor.execute(ROWS, {"markers": markers}).fetchall()


def dead_letters(product: Product) -> int:
    with _connect(product) as connection:
        row = connection.execute(DEAD_LETTERS).fetchone()
        return int(row[0]) if row else 0


def cost(product: Product) -> Decimal:
    """Return what all calls cost, in USD, as their rows say."""
    with _connect(product) as connection:
        row = connection.execute(COST).fetchone()
        return Decimal(row[0]) if row else Decimal(0)


def counted(product: Product) -> Decimal | None:
    """Return what the pilot has spent, in USD, as the counter of its limit says.

    None while the counter's past is not known.
    """
    broker = redis.Redis.from_url(_saved(product)["REDIS_URL"])
    run_id = broker.info("server")["run_id"]
    names = list(broker.scan_iter(f"{LIMITS_PREFIX}{run_id}:money:*:pilot:*"))
    values: list[Any] = broker.hmget(names[0], "since", "spent", "seed") if names else [None]
    broker.close()
    if None in values:
        return None
    _, spent, seed = values
    return Decimal(int(spent) + int(seed)) / 10**9


def _connect(product: Product) -> "psycopg.Connection":
    return psycopg.connect(_saved(product)["DATABASE_URL"], connect_timeout=5)


def _saved(product: Product) -> dict[str, str]:
    saved: dict[str, str] = json.loads((product.data / "environment.json").read_text())
    return saved
