"""Positions in the bytes, checked against a real parser on whatever JSON hypothesis thinks of."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.scanner import Malformed, member_span, parse_object, splice, top_level

texts = st.text(st.characters(codec="utf-8"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
objects = st.dictionaries(texts, values, max_size=6)
spellings = st.sampled_from(
    [
        {},
        {"indent": 2},
        {"separators": (",", ":")},
        {"ensure_ascii": False},
        {"separators": (" ,\r\n", "\t: ")},
    ]
)


@given(objects, spellings)
def test_every_value_is_found_where_it_stands(value, spelling):
    text = json.dumps(value, **spelling).encode()

    _, spans = parse_object(text)

    assert {key: json.loads(text[slice(*span)]) for key, span in spans.items()} == value


@given(objects, spellings, st.data())
def test_replacing_one_value_leaves_every_other_byte(value, spelling, data):
    text = json.dumps(value | {"model": "a"}, **spelling).encode()
    _, spans = parse_object(text)
    start, end = spans["model"]

    spliced = splice(text, [(spans["model"], b'"another"')])

    assert spliced == text[:start] + b'"another"' + text[end:]
    assert json.loads(spliced) == value | {"model": "another"}


@given(objects, spellings, st.integers(0, 6))
def test_taking_a_key_out_leaves_the_rest(value, spelling, position):
    items = [(key, one) for key, one in value.items() if key != "stream_options"]
    items.insert(position, ("stream_options", {"include_usage": True}))
    text = json.dumps(dict(items), **spelling).encode()
    _, spans = parse_object(text)

    without = splice(text, [(member_span(text, spans["stream_options"]), b"")])

    assert json.loads(without) == {key: one for key, one in items if key != "stream_options"}


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\ \na1', max_size=40).map(str.encode))
def test_whatever_comes_is_an_object_or_malformed(text):
    try:
        loaded, spans = parse_object(text)
    except Malformed as error:
        assert len(str(error)) > 10  # noqa: PT017
    else:
        assert set(spans) == set(loaded)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"model":"a","model":"b"}', "The key 'model' stands in the body twice."),
        (b'{"model":"a","mod\\u0065l":"b"}', "The key 'model' stands in the body twice."),
        (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "more than 64 levels"),
        (b'{"a":' + b'{"a":' * 100 + b"1" + b"}" * 101, "more than 64 levels"),
        (b'{"a":NaN}', "not valid JSON"),
        (b'{"a":-Infinity}', "not valid JSON"),
        (b'{"a":' + b"9" * 5_000 + b"}", "not valid JSON"),
        ('{"model":"a"}'.encode("utf-16"), "not valid JSON"),
        (b'\xef\xbb\xbf{"model":"a"}', "not valid JSON"),
        (b'{"a":"\\ud800"}', "not valid JSON"),
        (b'{"a":"\xff"}', "not valid JSON"),
        (b"", "not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b'"model"', "must be a JSON object"),
        (b'{"a":1,}', "not valid JSON"),
    ],
)
def test_traps_are_refused_with_a_sentence(text, message):
    with pytest.raises(Malformed, match=message):
        parse_object(text)


def test_what_only_looks_like_a_trap_passes():
    text = b'{"a":' + b"[" * 62 + b"]" * 62 + b',"b":"{\\"model\\":1}[[","c\\\\":"\\\\","":{}}'

    loaded, spans = parse_object(text)

    assert set(spans) == set(loaded) == {"a", "b", "c\\", ""}
    assert orjson.loads(text[slice(*spans["b"])]) == '{"model":1}[['


def test_the_scan_alone_does_not_run_past_broken_text():
    for text in (b'{"a":[1', b'{"a":"', b'{"a"', b"{", b'{"a":1', b'{"a":1 "b":2}', b'{"a":}'):
        with pytest.raises(Malformed):
            top_level(text)
