import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.answers import StreamReader, error_message, model_names

# The shapes that servers in the field are known to send.
STREAM = (
    b": OPENROUTER PROCESSING\n\n"
    b'data: {"choices":[{"delta":{"role":"assistant","content":""}}],"usage":null}\n\n'
    b'data:{"choices":[{"delta":{"content":"re"}}]}\r\n\r\n'
    b'data: {"choices":[{"delta":{"content":"ady"},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


def read(raw, size=None):
    reader = StreamReader()
    for start in range(0, len(raw), size or len(raw) or 1):
        reader.feed(raw[start : start + (size or len(raw))])
    reader.finish()
    return reader


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b'{"object":"list","data":[{"id":"b"},{"id":"A"}]}', ["A", "b"]),
        (b'[{"id":"b"},{"id":"b"},{"name":"c"}]', ["b", "c"]),  # Together sends a bare array
        (b'{"models":[{"name":"llama3:8b"}]}', ["llama3:8b"]),
        (b'{"models":["x","y"]}', ["x", "y"]),
        (b'{"data":[]}', []),
        (b'{"data":[{"id":7},{"id":""},null,{"id":"line\\nbreak"},{"id":"ok"}]}', ["ok"]),
        (b'{"data":[{"id":"' + b"x" * 256 + b'"}]}', []),
        (b'{"data":{"id":"x"}}', None),
        (b'{"error":"no"}', None),
        (b"<html>Sign in</html>", None),
        (b"[" * 100_000, None),
        (b'{"data":' + b"9" * 5_000 + b"}", None),
        (b"", None),
    ],
)
def test_model_names_are_read_from_every_known_shape(raw, names):
    assert model_names(raw) == names


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"error":{"message":"Incorrect key","type":"x"}}', "Incorrect key"),
        (b'{"error":"model not found"}', "model not found"),  # Ollama
        (b'{"detail":[{"loc":["body"],"msg":"field required"}]}', "field required"),  # FastAPI
        (b'{"message":{"detail":[{"msg":"extra"}]}}', "extra"),  # Mistral
        (b'{"error":{"message":"two\\n lines"}}', "two lines"),
        (b'{"error":{"message":"half \\ud800 a character"}}', "half ? a character"),
        (b'{"error":{"code":7}}', ""),
        (b"Bad gateway", ""),
        (b"[]", ""),
    ],
)
def test_error_message_is_one_line(raw, message):
    assert error_message(raw) == message


def test_error_message_is_short():
    assert len(error_message(json.dumps({"error": "x" * 10_000}).encode())) == 300


@pytest.mark.parametrize("size", [1, 7, None])
def test_stream_is_read_however_it_is_cut(size):
    reader = read(STREAM, size)

    assert (reader.text, reader.has_content, reader.is_done) == ("ready", True, True)
    assert (reader.prompt_tokens, reader.completion_tokens, reader.error) == (9, 2, "")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"choices": [{"delta": {"reasoning_content": "hm"}}]}, "hm"),
        ({"choices": [{"text": "x = 1"}]}, "x = 1"),
        ({"choices": [{"message": {"content": "whole"}}]}, "whole"),
        ({"choices": []}, ""),
        ({"choices": None}, ""),
        ({"choices": [None, {"delta": None}]}, ""),
    ],
)
def test_content_is_found_in_every_known_place(event, text):
    assert read(b"data: " + json.dumps(event).encode()).text == text


def test_usage_of_groq_and_an_error_in_the_stream_are_found():
    counts = b'data: {"choices":[],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":1}}}\n'
    error = b'data: {"error":{"message":"overloaded","code":502}}\n'

    assert read(counts).prompt_tokens == 3
    assert read(error).error == "overloaded"
    assert read(b'data: {"error":{"code":1}}\n').error == (
        "The provider sent an error in the stream."
    )


def test_answer_that_is_not_streamed_is_read_too():
    reader = read(b'{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":1}}')

    assert (reader.has_content, reader.is_done, reader.prompt_tokens) == (True, False, 1)


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_nothing_foreign_raises(chunks):
    reader = StreamReader()
    for chunk in chunks:
        reader.feed(chunk)
    reader.finish()
    whole = b"".join(chunks)
    model_names(whole)
    error_message(whole)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "content",
                    "usage",
                    "prompt_tokens",
                    "error",
                    "data",
                    "id",
                    "x_groq",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_json_raises(value):
    raw = json.dumps(value).encode()

    read(b"data: " + raw + b"\n")
    model_names(raw)
    error_message(raw).encode()
