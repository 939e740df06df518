import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feedback.strict_json import MOST_DEPTH, NotJson, read_object


def nested(depth):
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"a"',
        b"1",
        b'{"a": 1} {}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": %s}' % (b"9" * 5_000),
        b'{"a": "\n"}',
        nested(MOST_DEPTH + 1),
        nested(100_000),
        b"[" * 100_000,
        b'{"a": ' + b"[" * MOST_DEPTH + b"]" * MOST_DEPTH + b"}",
    ],
    ids=range(19),
)
def test_what_is_no_plain_object_is_refused(raw):
    with pytest.raises(NotJson):
        read_object(raw)


def test_as_deep_as_allowed_is_read():
    assert read_object(nested(MOST_DEPTH)) == json.loads(nested(MOST_DEPTH))


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        ),
    )
)
def test_every_other_object_is_read_as_it_was_written(value):
    assert read_object(json.dumps(value).encode()) == value
