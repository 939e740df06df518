"""Routes of the fake provider, changed for what a module of tests needs."""

from dataclasses import replace

from apps.gateway.contract import RouteTable


def apart(table: RouteTable, *aliases: str, **provider) -> RouteTable:
    """Give each alias a provider of its own: one that keeps failing is left alone by the gateway,
    and the other aliases must go on. `provider` holds fields that differ."""
    candidates, providers = dict(table.candidates), dict(table.providers)
    for alias in aliases:
        number = table.pilots[1].aliases[alias]
        providers[100 + number] = replace(
            providers[5], id=100 + number, slug=f"fake-{number}", **provider
        )
        candidates[number] = replace(candidates[number], provider_id=100 + number)
    return replace(table, candidates=candidates, providers=providers)
