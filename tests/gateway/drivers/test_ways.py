"""How a candidate can answer: a table of what its provider serves and what is asked."""

import pytest

from apps.gateway.contract import SERVABLE, SERVED_BY_MOST, CandidateRoute, ProviderRoute
from apps.gateway.drivers.fim import fill
from apps.gateway.drivers.ways import Way, can_answer, way_of
from apps.gateway.request import read_request

PLAIN = b'{"model":"m","prompt":"a"}'
SUFFIX = b'{"model":"m","prompt":"a","suffix":"b"}'
EMPTY = b'{"model":"m","prompt":"a","suffix":""}'
NULL = b'{"model":"m","prompt":"a","suffix":null}'
FIM = "fim/completions"
TEXT = "completions"


@pytest.mark.parametrize(
    ("endpoint", "body", "serves", "template", "way"),
    [
        (TEXT, PLAIN, SERVED_BY_MOST, "", Way(TEXT)),
        (TEXT, NULL, SERVED_BY_MOST, "{prefix}", Way(TEXT)),
        (TEXT, PLAIN, (), "{prefix}", None),
        (TEXT, SUFFIX, SERVED_BY_MOST, "", None),
        (TEXT, SUFFIX, SERVED_BY_MOST, "{prefix}", Way(TEXT, is_rendered=True)),
        (TEXT, EMPTY, SERVED_BY_MOST, "{prefix}", Way(TEXT, is_rendered=True)),
        (TEXT, EMPTY, SERVED_BY_MOST, "", Way(TEXT, drops_suffix=True)),
        (TEXT, EMPTY, SERVABLE, "", Way(TEXT)),
        (TEXT, EMPTY, (), "", None),
        (FIM, EMPTY, (TEXT,), "", None),
        (TEXT, SUFFIX, SERVABLE, "{prefix}", Way(TEXT)),
        (TEXT, SUFFIX, ("suffix",), "{prefix}", None),
        (FIM, SUFFIX, SERVABLE, "{prefix}", Way(FIM)),
        (FIM, PLAIN, (FIM,), "", Way(FIM)),
        (FIM, SUFFIX, (TEXT, "suffix"), "{prefix}", Way(TEXT, is_chat_of_text=True)),
        (FIM, SUFFIX, (TEXT,), "{prefix}", Way(TEXT, is_rendered=True, is_chat_of_text=True)),
        (FIM, PLAIN, (TEXT,), "{prefix}", Way(TEXT, is_rendered=True, is_chat_of_text=True)),
        (FIM, SUFFIX, (TEXT,), "", None),
        (FIM, SUFFIX, ("chat/completions",), "{prefix}", None),
        ("chat/completions", SUFFIX, SERVED_BY_MOST, "", Way("chat/completions")),
        ("messages", PLAIN, SERVED_BY_MOST, "{prefix}", None),
        ("messages", PLAIN, ("messages",), "", Way("messages")),
        ("messages/count_tokens", PLAIN, ("messages",), "", None),
        ("rerank", PLAIN, SERVABLE, "", Way("rerank")),
    ],
)
def test_the_first_way_that_there_is(endpoint, body, serves, template, way):
    candidate = CandidateRoute(1, "c", 1, "theirs", fim_template=template)
    provider = ProviderRoute(1, "p", "http://127.0.0.1", serves=serves)

    assert way_of(endpoint, read_request(body), candidate, provider) == way


@pytest.mark.parametrize(
    ("body", "serves", "can"),
    [
        (SUFFIX, (TEXT,), True),
        (b'{"model":"m","prompt":["a"],"suffix":"b"}', (TEXT,), False),
        (b'{"model":"m","prompt":["a"],"suffix":"b"}', (FIM,), True),
        (SUFFIX, (), False),
    ],
)
def test_only_a_text_can_be_rendered(body, serves, can):
    candidate = CandidateRoute(1, "c", 1, "theirs", fim_template="{prefix}")
    provider = ProviderRoute(1, "p", "http://127.0.0.1", serves=serves)

    assert can_answer(FIM, read_request(body), candidate, provider) is can


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("<P>{prefix}<S>{suffix}<M>", "<P>a{suffix}<S>b{prefix}<M>"),
        ("[SUFFIX]{suffix}[PREFIX]{prefix}", "[SUFFIX]b{prefix}[PREFIX]a{suffix}"),
        ("{prefix}{prefix}", "a{suffix}{prefix}"),
        ("{{prefix}} {other} \\1", "{a{suffix}} {other} \\1"),
        ("", ""),
    ],
)
def test_each_place_is_taken_once_and_what_is_put_in_is_left_alone(template, filled):
    assert fill(template, "a{suffix}", "b{prefix}") == filled
