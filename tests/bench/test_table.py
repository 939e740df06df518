import json

import pytest

from bench.table import BEGIN, END, PAGE, RESULTS, filled, for_console, markdown


def spread(value):
    return {"median": value, "lowest": value - 1, "highest": value + 1}


@pytest.fixture
def results():
    plain = {"requests": 30, "finished": 30, "failures": {}}
    return {
        "at": "2026-11-20T10:00:00+00:00",
        "machine": {"cores": 2, "load_average_before": 0.1},
        "settings": {"repetitions": 3},
        "proxies": {
            "nginx": {"title": "nginx", "version": "1.22", "ran_with": "one worker"},
            "portkey": {"title": "Portkey", "version": "1.15", "ran_with": "headless"},
        },
        "missing": {"litellm": "pip failed with exit code 1"},
        "figures": {
            "portkey": {"streams_32": plain | {"finished": 0, "failures": {"HTTP 500": 30}}},
            "nginx": {"plain_32": plain | {"cpu_us": spread(1_017.4)}},
        },
        "targets": [
            {
                "target": "a",
                "bound": 6,
                "is_floor": False,
                "unit": "×",
                "found": 7.5,
                "held": False,
            },
            {"target": "b", "bound": 50, "is_floor": True, "unit": "×", "found": 51, "held": True},
            {"target": "c", "bound": 9, "is_floor": True, "unit": "×", "found": None, "held": None},
        ],
    }


def test_page_shows_what_the_results_say():
    results = json.loads(RESULTS.read_text())

    assert filled(PAGE.read_text(), results) == PAGE.read_text()


def test_each_proxy_has_a_column_and_each_figure_its_spread(results):
    lines = markdown(results).splitlines()

    assert lines[2] == "| | nginx | Portkey |"
    assert lines[4] == "| CPU of a plain request, µs | 1,017 (1,016–1,018) | – |"


def test_what_is_missing_or_failed_is_said(results):
    notes = [line for line in markdown(results).splitlines() if line.startswith("- ")]

    assert notes == [
        "- nginx 1.22: one worker.",
        "- Portkey 1.15: headless.",
        "- LiteLLM was not measured: pip failed with exit code 1.",
        "- Portkey, streams_32: 0 of 30 finished; HTTP 500 (30).",
    ]


def test_targets_are_judged_in_words(results):
    assert markdown(results).splitlines()[-3:] == [
        "| a | ≤ 6 × | 7.5 × | **falls short** |",
        "| b | ≥ 50 × | 51 × | held |",
        "| c | ≥ 9 × | – | not measured |",
    ]


def test_console_lines_up_what_the_page_says(results):
    lines = for_console(results).splitlines()

    (title, first, *_) = lines[2:]
    assert title.split() == ["nginx", "Portkey"]
    assert first.split("  ")[0] == "CPU of a plain request, µs"
    assert {len(line) for line in lines[2:4]} == {len(title)}


def test_only_what_is_between_the_markers_is_replaced(results):
    page = filled(f"above\n{BEGIN}\nold\n{END}\nbelow\n", results)

    assert page == f"above\n{BEGIN}\n{markdown(results)}\n{END}\nbelow\n"


def test_a_page_without_markers_is_refused(results):
    with pytest.raises(ValueError, match="the page lacks"):
        filled("above\nbelow\n", results)
