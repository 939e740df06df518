"""Token counts in formats that are not OpenAI's chats, wherever servers put them."""

import pytest

from apps.gateway.drivers.wires import WIRES
from apps.gateway.usage_tap import Usage, as_count

TEXT = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello"}}


def seen(endpoint: str, *events: dict):
    tap = WIRES[endpoint].new_tap()
    for event in events:
        tap.see(event)
    return tap


def start(**usage) -> dict:
    return {"type": "message_start", "message": {"usage": usage}}


def delta(**usage) -> dict:
    return {"type": "message_delta", "usage": usage, "delta": {"stop_reason": "end_turn"}}


@pytest.mark.parametrize(
    ("events", "usage"),
    [
        ([start(input_tokens=5, output_tokens=1), delta(output_tokens=9)], Usage(5, 9, None)),
        # The last event of some states everything again: nothing is summed.
        (
            [start(input_tokens=5, output_tokens=1), delta(input_tokens=5, output_tokens=9)],
            Usage(5, 9, None),
        ),
        (
            [start(input_tokens=0, output_tokens=0), delta(input_tokens=7, output_tokens=2)],
            Usage(7, 2, None),
        ),
        (
            [
                start(input_tokens=5, cache_read_input_tokens=3, cache_creation_input_tokens=2),
                delta(output_tokens=4, cache_read_input_tokens=None),
            ],
            Usage(10, 4, 3),
        ),
        ([delta(output_tokens=4)], Usage(None, 4, None)),
        ([start(input_tokens="5"), delta(output_tokens=True)], None),
        ([start()], None),
        ([{"type": "message_start"}, {"type": "message_delta"}], None),
        ([{"type": "ping"}], None),
    ],
)
def test_messages_count_cached_tokens_beside_the_others(events, usage):
    assert seen("messages", *events).usage() == usage


@pytest.mark.parametrize(
    ("endpoint", "events", "counted"),
    [
        ("messages", [start(input_tokens=5, output_tokens=1), TEXT], 0),
        ("messages", [start(input_tokens=5, output_tokens=1), TEXT, delta(output_tokens=2)], 5),
        # That counts the prompt alone.
        ("messages", [start(output_tokens=1), TEXT, delta(input_tokens=5, output_tokens=None)], 0),
        ("responses", [{"type": "x.delta", "delta": "Hello"}], 0),
        (
            "responses",
            [
                {"type": "x.delta", "delta": "Hello"},
                {"type": "response.in_progress", "response": {"usage": {"output_tokens": 1}}},
                {"type": "x.delta", "delta": "Hello"},
            ],
            5,
        ),
        ("responses", [{"output": [{"content": [{"text": "Hello"}]}], "usage": {}}], 5),
        # A count holds what stands in its own event.
        ("completions", [{"choices": [{"text": "Hello"}], "usage": {}}], 5),
        ("completions", [{"choices": [{"text": "Hello"}]}, {"choices": [], "usage": {}}], 5),
        ("completions", [{"choices": None, "usage": {}}, {"choices": [{"text": "Hello"}]}], 0),
        ("completions", [{"choices": [{"text": "Hello"}], "usage": None}], 0),
    ],
)
def test_it_is_known_how_much_had_been_written_when_it_was_counted(endpoint, events, counted):
    assert seen(endpoint, *events).counted_bytes == counted


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (9.0, 9),
        (9, 9),
        (0.0, 0),
        (9.5, None),
        (-1.0, None),
        (1e300, None),
        (float("inf"), None),
        (float("nan"), None),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        (True, None),
        ("9", None),
    ],
)
def test_a_count_is_a_whole_number_that_a_row_can_hold(value, count):
    assert as_count(value) == count


def test_a_prompt_of_many_parts_is_never_more_than_a_row_can_hold():
    most = 2**31 - 1

    tap = seen("messages", start(input_tokens=most, cache_read_input_tokens=most))

    assert tap.usage() == Usage(most, None, most)


@pytest.mark.parametrize(
    ("status", "reason", "output", "finish"),
    [
        ("completed", None, [], "stop"),
        ("completed", None, [{"type": "function_call"}], "tool_calls"),
        ("incomplete", {"reason": "content_filter"}, [], "content_filter"),
        ("incomplete", None, [], "incomplete"),
        ("in_progress", None, [], ""),
        (None, None, None, ""),
    ],
)
def test_responses_end_with_a_reason(status, reason, output, finish):
    tap = seen("responses", {"status": status, "incomplete_details": reason, "output": output})

    assert tap.finish_reason == finish


def test_a_whole_response_counts_what_was_written():
    output = [
        {"type": "reasoning", "summary": [{"text": "ab"}]},
        {"type": "message", "content": [{"text": "cd"}, {"refusal": "e"}, "x"]},
        {"type": "function_call", "arguments": "{}"},
        5,
    ]

    tap = seen("responses", {"status": "completed", "output": output})

    assert (tap.content_bytes, tap.tool_calls, tap.has_content) == (7, 1, True)


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": {"total_tokens": 5}}, Usage(5, 0, None)),
        ({"usage": {"prompt_tokens": 4, "total_tokens": 5}}, Usage(4, 0, None)),
        ({"meta": {"tokens": {"input_tokens": 6}}}, Usage(6, 0, None)),
        ({"meta": {"billed_units": {"input_tokens": 7}}}, Usage(7, 0, None)),
        ({"meta": {"billed_units": {"search_units": 1}}}, None),
        ({"meta": [], "usage": None}, None),
    ],
)
def test_rerank_has_a_prompt_and_no_completion(answer, usage):
    assert seen("rerank", answer).usage() == usage


def test_counting_is_free_whatever_comes_of_it():
    assert seen("messages/count_tokens").usage() == Usage(0, 0, None)
    assert seen("messages/count_tokens", {"input_tokens": 9}).usage() == Usage(0, 0, None)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        ("abc", 3),
        ([{"type": "text", "text": "ab"}, {"type": "thinking", "thinking": [{"text": "c"}]}], 3),
        ([[[[[["abc"]]]]]], 0),
        ({"text": 5}, 0),
        (None, 0),
    ],
)
def test_text_is_found_in_parts(content, size):
    tap = seen("chat/completions", {"choices": [{"delta": {"content": content}}]})

    assert tap.content_bytes == size
