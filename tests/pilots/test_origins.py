import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.pilots.origins import MOST_ORIGINS, NotAnOrigin, checked_origins


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://tools.example.com", "https://tools.example.com"),
        (" HTTPS://Tools.Example.com/ ", "https://tools.example.com"),
        ("https://tools.example.com:443", "https://tools.example.com"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_written_as_browsers_do(text, origin):
    assert checked_origins([text]) == [origin]


@pytest.mark.parametrize(
    "text",
    [
        *("tools.example.com", "*", "https://*.example.com", "https://", "//tools.example.com"),
        *("https://tools.example.com/page", "https://a@tools.example.com", "https://a.b?c"),
        *("https://a.b#c", "https://a.b?", "ftp://a.b", "javascript://a.b", "null"),
        *("https://a.b;script-src *", "https://a.b https://c.d", "https://a.b,c", "https://a'b"),
        *("https://a.b:99999", "https://a.b:x", "https://-a.b", "https://a..b", "https://[::1"),
        *("http://tools.example.com", "http://127.0.0.2", "http://[::2]", "http://a.localhost"),
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 100 + "example",
    ],
)
def test_anything_else_is_none(text):
    with pytest.raises(NotAnOrigin):
        checked_origins([text])


def test_each_stands_once_and_empty_lines_are_none():
    assert checked_origins(["https://b.c", "", "https://a.b", "https://B.c/"]) == [
        "https://b.c",
        "https://a.b",
    ]


def test_so_many_at_most():
    origins = [f"https://a{n}.example" for n in range(MOST_ORIGINS + 1)]

    assert checked_origins(origins[1:]) == origins[1:]
    with pytest.raises(NotAnOrigin):
        checked_origins(origins)


@given(st.text(max_size=60))
def test_nothing_gets_into_the_header_that_means_something_there(text):
    for sent in (text, f"https://{text}", f"https://a.b:{text}"):
        try:
            found = checked_origins([sent])
        except NotAnOrigin:
            continue
        assert not set("".join(found)) & set(" ;,'\"*\r\n\t")
        assert checked_origins(found) == found
