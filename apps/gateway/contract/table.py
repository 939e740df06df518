"""Everything the gateway may serve, as one immutable table with a version."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import orjson

from apps.core.rotation import Era
from apps.gateway.contract.names import (
    ROUTES_FORMAT,
    SERVED_BY_MOST,
    UnknownVersion,
    parse_instant,
)


@dataclass(frozen=True, slots=True)
class ProviderRoute:
    """Where a provider is. `credential` stays a MultiFernet token; the gateway opens it in memory.

    `auth` is one of bearer, api_key, x_api_key, none; `stream_usage` one of on_request, always,
    reject_option, none. `serves` holds names of SERVABLE. Requests with more than `most_stops`
    stop texts are trimmed to as many; 0 stands for no limit. `ca_pem` adds authorities for this
    provider alone.
    """

    id: int
    slug: str
    base_url: str
    credential: str = ""
    auth: str = "bearer"
    driver: str = "openai"
    stream_usage: str = "on_request"
    ca_pem: str = ""
    serves: tuple[str, ...] = SERVED_BY_MOST
    most_stops: int = 0


@dataclass(frozen=True, slots=True)
class PriceRoute:
    """What tokens cost in [starts_at, ends_at), in nano-USD per million tokens."""

    starts_at: datetime
    ends_at: datetime | None
    input: int
    cached: int
    output: int


@dataclass(frozen=True, slots=True)
class CandidateRoute:
    """A model at a provider. `state` is active or paused; retired ones are not in the table.

    `fallback_id` is the candidate that answers where this one cannot. `prices` are those in force
    when the table was built and all later ones; without one, nothing is known about its cost.
    """

    id: int
    slug: str
    provider_id: int
    upstream_model: str
    state: str = "active"
    fim_template: str = ""
    fim_stops: tuple[str, ...] = ()
    fallback_id: int | None = None
    prices: tuple[PriceRoute, ...] = ()


@dataclass(frozen=True, slots=True)
class LimitRoute:
    """What one key, person or candidate of a pilot, or all of it, may use; None is without limit.

    `scope` is one of SCOPES. Without an `id` it holds for each key, person or candidate that has no
    limit of its own; what a limit of one's own leaves open, the general one fills in. Money is
    counted over `period`, in the pilot's zone; when it is used up, a hard limit refuses and a soft
    one warns. `set_at` is when the limit was set or changed, in ms since 1970: from then on it is
    counted anew, and what was spent before is looked up.
    """

    scope: str
    id: int | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    at_once: int | None = None
    nano_usd: int | None = None
    period: str = "month"
    is_hard: bool = True
    set_at: int = 0


# What each key may use where nobody has set anything: far above what one developer's tools ask for,
# so that only a program gone wild meets it.
UNLESS_SET: Final = LimitRoute(
    "key", requests_per_minute=6_000, tokens_per_minute=10_000_000, at_once=10
)


@dataclass(frozen=True, slots=True)
class RotationRoute:
    """Who takes turns behind a blind alias; see core.rotation. The seed is secret.

    `swaps` holds who was chosen in place of the candidate that a day had assigned, by
    "<person id>:<working day>"; only of today and later. Of `left_out` nobody is asked, since code
    would go elsewhere than people were told: the next in order answers, as for one that is paused.
    """

    seed: str
    eras: tuple[Era, ...]
    swaps: dict[str, int] = field(default_factory=dict)
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PilotRoute:
    """A pilot that answers calls. `aliases` maps the model name developers send to a candidate id.

    `blind` holds the aliases whose candidate must not be known, apart from `aliases`.
    Outside [opens_at, closes_at) its keys are refused with a sentence: once it is over,
    `closing_sentence`, if any. With `after`, they go on: from `closes_at` on the pilot is that one.
    """

    id: int
    slug: str
    opens_at: datetime
    closes_at: datetime
    aliases: dict[str, int] = field(default_factory=dict)
    blind: dict[str, RotationRoute] = field(default_factory=dict)
    zone: str = "UTC"
    limits: tuple[LimitRoute, ...] = ()
    closing_sentence: str = ""
    after: PilotRoute | None = None

    def is_blind(self, alias: str) -> bool:
        """Tell whether developers must not know who answers for an alias."""
        return alias in self.blind


@dataclass(frozen=True, slots=True)
class KeyRoute:
    """Whose key it is. Only keys that are in force stand in the table."""

    id: int
    person_id: int
    pilot_id: int
    kind: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Everything the gateway knows, at one version. `keys` is by the hex SHA-256 of the key."""

    version: int
    built_at: datetime
    keys: dict[str, KeyRoute] = field(default_factory=dict)
    pilots: dict[int, PilotRoute] = field(default_factory=dict)
    candidates: dict[int, CandidateRoute] = field(default_factory=dict)
    providers: dict[int, ProviderRoute] = field(default_factory=dict)

    def to_json(self) -> bytes:
        return orjson.dumps(
            {
                "format": ROUTES_FORMAT,
                "version": self.version,
                "built_at": self.built_at,
                "keys": self.keys,
                "pilots": list(self.pilots.values()),
                "candidates": list(self.candidates.values()),
                "providers": list(self.providers.values()),
            }
        )

    @classmethod
    def from_json(cls, raw: bytes) -> RouteTable:
        """Raises UnknownVersion, or ValueError/TypeError/KeyError on anything malformed."""
        table: dict[str, Any] = orjson.loads(raw)
        if not isinstance(table, dict):
            raise ValueError("a route table is a JSON object")
        if table.get("format") != ROUTES_FORMAT:
            raise UnknownVersion(f"route table format {table.get('format')!r}")
        return cls(
            version=int(table["version"]),
            built_at=parse_instant(table["built_at"]),
            keys={
                digest: KeyRoute(**_with_instants(key, "expires_at"))
                for digest, key in table["keys"].items()
            },
            pilots={row["id"]: _pilot(row) for row in table["pilots"]},
            candidates={row["id"]: _candidate(row) for row in table["candidates"]},
            providers={row["id"]: _provider(row) for row in table["providers"]},
        )


def _with_instants(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return fields | {name: parse_instant(fields[name]) for name in names}


def _pilot(row: dict[str, Any]) -> PilotRoute:
    fields = _with_instants(row, "opens_at", "closes_at")
    fields["blind"] = {alias: _rotation(each) for alias, each in row["blind"].items()}
    fields["limits"] = tuple(LimitRoute(**limit) for limit in row["limits"])
    fields["after"] = None if row["after"] is None else _pilot(row["after"])
    return PilotRoute(**fields)


def _rotation(row: dict[str, Any]) -> RotationRoute:
    eras = (
        Era(date.fromisoformat(era["first_day"]), tuple(era["candidate_ids"]))
        for era in row["eras"]
    )
    return RotationRoute(**row | {"eras": tuple(eras), "left_out": tuple(row["left_out"])})


def _candidate(row: dict[str, Any]) -> CandidateRoute:
    prices = tuple(_price(price) for price in row["prices"])
    return CandidateRoute(**row | {"fim_stops": tuple(row["fim_stops"]), "prices": prices})


def _price(row: dict[str, Any]) -> PriceRoute:
    last = "starts_at" if row["ends_at"] is None else "ends_at"
    return PriceRoute(**_with_instants(row, "starts_at", last))


def _provider(row: dict[str, Any]) -> ProviderRoute:
    return ProviderRoute(**row | {"serves": tuple(row["serves"])})
