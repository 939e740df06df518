import json

from bench.load import Load, requests_of
from bench.phases import BIG_BYTES


def test_each_key_has_its_request():
    found = requests_of(Load(port=1, keys=["a", "b"], connections=1, requests=1))

    lines = [request.split(b"\r\n")[1] for request in found]
    assert lines == [b"authorization: Bearer a", b"authorization: Bearer b"]


def test_the_large_request_is_ten_megabytes_and_no_more():
    load = Load(port=1, keys=["a"], connections=1, requests=1, prompt_bytes=BIG_BYTES)

    head, body = requests_of(load)[0].split(b"\r\n\r\n", 1)

    assert 9_980_000 < len(body) <= 10_000_000
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["model"] == "bench"


def test_a_stream_asks_for_its_usage():
    load = Load(port=1, keys=["a"], connections=1, requests=1, is_streamed=True, tokens=7)

    body = json.loads(requests_of(load)[0].split(b"\r\n\r\n", 1)[1])

    del body["messages"]
    assert body == {
        "model": "bench",
        "max_tokens": 7,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
