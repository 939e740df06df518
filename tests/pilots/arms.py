"""Candidates that may take turns with each other, but for what a test changes."""

from tests.factories import make_candidate, make_provider


def arm(**fields):
    provider = {
        "serves": fields.pop("serves", ["chat/completions", "completions"]),
        "residence": fields.pop("residence", "outside"),
        "driver": fields.pop("driver", "openai"),
    }
    told = {"name": "B", "context_tokens": 32_000, "fim_template": "{prefix}|{suffix}"}
    return make_candidate(provider=make_provider(**provider), **told | fields)
