"""Trace context is passed on as it came, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.gateway.trace import trace_context, trace_id_in

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{ID}-00f067aa0ba902b7-01"


def headers(parent: str, state: str | None = None) -> dict[bytes, bytes]:
    found = {b"traceparent": parent.encode("latin-1")}
    return found if state is None else found | {b"tracestate": state.encode("latin-1")}


@pytest.mark.parametrize(
    "parent",
    [
        "",
        ID,
        PARENT.upper(),
        PARENT.replace("00-", "01-", 1),
        PARENT.replace("00-", "ff-", 1),
        PARENT + "-extra",
        PARENT + "\n",
        " " + PARENT,
        PARENT[:-1],
        PARENT.replace(ID, "0" * 32),
        PARENT.replace("00f067aa0ba902b7", "0" * 16),
        PARENT.replace("4bf9", "4bg9"),
        PARENT.replace("-01", "_01"),
        "\xff" * 55,
    ],
)
def test_a_malformed_parent_is_dropped_with_its_state(parent):
    given_headers = headers(parent, "vendor=1")

    assert (trace_id_in(given_headers), trace_context(given_headers)) == ("", {})


def test_without_a_parent_none_is_invented():
    assert (trace_id_in({}), trace_context({b"tracestate": b"a=1"})) == ("", {})


@pytest.mark.parametrize(
    ("state", "is_kept"),
    [
        ("a=1", True),
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", True),
        ("tenant@vendor=a b , x=!", True),
        ("a=1,", True),
        ("A=1", False),
        ("a", False),
        ("a=", False),
        ("a=b=c", False),
        ("a=\x00", False),
        ("a=\xe9", False),
        ("a=1\r\nx-injected: 1", False),
        ("a=" + "x" * 256, True),
        ("a=" + "x" * 257, False),
        (",".join(f"k{n}=1" for n in range(32)), True),
        (",".join(f"k{n}=1" for n in range(33)), False),
        (" " * 513, False),
    ],
)
def test_a_malformed_state_is_dropped_alone(state, is_kept):
    context = trace_context(headers(PARENT, state))

    assert context == {"traceparent": PARENT} | ({"tracestate": state} if is_kept else {})


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_bytes_break_it(parent, state):
    for value in (parent, PARENT.encode()):
        context = trace_context({b"traceparent": value, b"tracestate": state})
        assert all(
            (text.isascii() and text.isprintable()) or "\t" in text for text in context.values()
        )


async def test_it_reaches_the_provider_and_nothing_else_of_it_does(rig):
    sent = {"traceparent": PARENT, "tracestate": "a=1", "baggage": "userId=alice"}

    await rig.chat(headers=sent)
    await rig.chat(headers=sent | {"traceparent": PARENT + "x"})
    await rig.chat()

    seen = [
        {name: value for name, value in one.headers.items() if name.lower() in sent}
        for one in rig.provider.seen
    ]
    assert seen == [{"traceparent": PARENT, "tracestate": "a=1"}, {}, {}]
