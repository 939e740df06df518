import pytest

from apps.pilots.origins import NotAnOrigin, origin_of


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://tools.example.com", "https://tools.example.com"),
        (" HTTPS://Tools.Example.com/ ", "https://tools.example.com"),
        ("https://tools.example.com:443", "https://tools.example.com"),
        ("https://tools.example.com:8443", "https://tools.example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_origin_is_what_browsers_send(typed, origin):
    assert origin_of(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "tools.example.com",
        "ftp://tools.example.com",
        "http://tools.example.com",  # anybody on the way could rate
        "http://127.0.0.2",
        "https://tools.example.com/page",
        "https://tools.example.com/?a",
        "https://tools.example.com/#a",
        "https://me@tools.example.com",
        "https://*.example.com",
        "https://a.example.com;script-src *",
        "https://a,b",
        "https://-a.example.com",
        "https://tools.example.com:port",
        "https://tools.example.com:99999",
        "https://[::2]",
        "https://",
        "null",
    ],
)
def test_what_is_no_origin_is_refused(typed):
    with pytest.raises(NotAnOrigin):
        origin_of(typed)
