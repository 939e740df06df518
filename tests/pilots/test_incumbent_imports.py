"""Reading what other tools report. Examples are made up; their shapes are GitHub's."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.pilots.incumbent_imports import DAYS_MOST, Unreadable, read_days
from apps.pilots.incumbents import ToolDay

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def language(name, shown, accepted):
    return {
        "name": name,
        "total_engaged_users": 3,
        "total_code_suggestions": shown,
        "total_code_acceptances": accepted,
        "total_code_lines_suggested": 9 * shown,
        "total_code_lines_accepted": 9 * accepted,
    }


OLD = [
    {
        "date": "2026-11-16",
        "total_active_users": 24,
        "total_engaged_users": 20,
        "copilot_ide_code_completions": {
            "total_engaged_users": 20,
            "languages": [{"name": "python", "total_engaged_users": 10}],
            "editors": [
                {
                    "name": "vscode",
                    "models": [
                        {"name": "default", "languages": [language("python", 200, 50)]},
                        {"name": "own", "languages": [language("go", 40, 10)]},
                    ],
                },
                {"name": "neovim", "models": [{"languages": [language("c", 10, 0)]}]},
            ],
        },
        "copilot_ide_chat": {
            "editors": [
                {"name": "vscode", "models": [{"total_chats": 45}, {"total_chats": 5}]},
            ]
        },
        "copilot_dotcom_chat": {"models": [{"total_chats": 99}]},
    },
    {
        "date": "2026-11-17",
        "total_active_users": 7,
        "copilot_ide_code_completions": None,
        "copilot_ide_chat": None,
    },
]
OLD_DAYS = [ToolDay(MONDAY, 24, 250, 60, 50), ToolDay(TUESDAY, 7)]


def feature(name, generated, accepted, asked):
    return {
        "feature": name,
        "code_generation_activity_count": generated,
        "code_acceptance_activity_count": accepted,
        "user_initiated_interaction_count": asked,
    }


NEW = [
    {
        "day": "2026-11-16",
        "organization_id": "1",
        "daily_active_users": 24,
        "totals_by_feature": [
            feature("code_completion", 250, 60, 0),
            feature("chat_panel_ask_mode", 9, 1, 30),
            feature("chat_inline", 4, 2, 20),
            feature("agent_edit", 70, 70, 0),
        ],
    },
    {"day": "2026-11-17", "daily_active_users": 7, "totals_by_feature": []},
]


@pytest.mark.parametrize(
    ("text", "days", "source"),
    [
        ("day\n2026-11-16\n", [ToolDay(MONDAY)], "csv"),
        (
            "\ufeffday,active_people,shown,accepted,chats\r\n2026-11-16,9,100,30,5\r\n\r\n"
            "2026-11-17,,,,\r\n",
            [ToolDay(MONDAY, 9, 100, 30, 5), ToolDay(TUESDAY)],
            "csv",
        ),
        # A spreadsheet's separator, other orders and spaces.
        ("Accepted; Shown ;Day\n 3 ; 4 ; 2026-11-16 ", [ToolDay(MONDAY, None, 4, 3)], "csv"),
        ('day,shown\n"2026-11-16","7"', [ToolDay(MONDAY, None, 7)], "csv"),
        (json.dumps(OLD), OLD_DAYS, "copilot"),
        (json.dumps(OLD[1]), OLD_DAYS[1:], "copilot"),
        (json.dumps(NEW), OLD_DAYS, "copilot"),
        ("\n".join(json.dumps(day) for day in NEW), OLD_DAYS, "copilot"),
        (json.dumps({"report_start_day": "2026-11-16", "day_totals": NEW}), OLD_DAYS, "copilot"),
    ],
)
def test_days_are_read(text, days, source):
    assert read_days(text) == (days, source)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("  \n", ["There is nothing in it."]),
        ("day\n", ["There are no days in it."]),
        (
            "date,shown\n2026-11-16,1",
            [
                "Line 1: the columns are day, active_people, shown, accepted, chats; day is "
                "needed; not known: date."
            ],
        ),
        (
            "shown\n1",
            ["Line 1: the columns are day, active_people, shown, accepted, chats; day is needed."],
        ),
        (
            "day,shown,accepted\n16.11.2026,1,1\n2026-11-16,-1,0\n2026-11-17,1\n2026-11-18,1,2\n"
            "2026-11-19,,2\n2026-11-20,9999999999,0\n2026-02-30,1,1\n2026-11-22,1.5,1",
            [
                "Line 2: “16.11.2026” is no day; write it like 2026-11-18.",
                "Line 3: “-1” is no count under shown.",
                "Line 4: 2 fields under 3 columns.",
                "Line 5: more accepted than shown.",
                "Line 6: more accepted than shown.",
                "Line 7: “9999999999” is no count under shown.",
                "Line 8: “2026-02-30” is no day; write it like 2026-11-18.",
                "Line 9: “1.5” is no count under shown.",
            ],
        ),
        ('day\n"2026', ["This is no CSV: unexpected end of data."]),
        ("[1]", ["Day 1: not an object."]),
        ("[]", ["There are no days in it."]),
        ('{"day_totals": []}', ["There are no days in it."]),
        ('[{"date": "today"}]', ["Day 1: no date or day in it."]),
        (
            '[{"date": "2026-11-16", "total_active_users": "9"}]',
            ["Day 1 (2026-11-16): counts are not where Copilot's reports have them."],
        ),
        (
            '[{"date": "2026-11-16", "copilot_ide_chat": {"editors": 3}}]',
            ["Day 1 (2026-11-16): counts are not where Copilot's reports have them."],
        ),
        (
            '{"day": "2026-11-16", "user_login": "ada", "daily_active_users": 1}',
            ["Day 1: a report of single people; take the organization's."],
        ),
    ],
)
def test_what_cannot_be_read_is_told_by_line(text, problems):
    with pytest.raises(Unreadable) as problem:
        read_days(text)

    assert list(problem.value.problems) == problems


def test_broken_json_and_too_much_is_told():
    with pytest.raises(Unreadable, match=r"^This is no JSON: "):
        read_days('[{"date": ')
    with pytest.raises(Unreadable, match=r"nested too deeply|no JSON"):
        read_days("[" * 100_000)
    with pytest.raises(Unreadable, match="At most 1,000 days at a time"):
        read_days("day\n" + "2026-11-16\n" * (DAYS_MOST + 1))


counts = st.none() | st.integers(0, 2**31 - 1)


@given(st.lists(st.tuples(st.dates(date(1000, 1, 1)), counts, counts, counts), min_size=1))
def test_what_is_written_as_csv_is_read_again(rows):
    days = [
        ToolDay(day, people, shown, None if shown is None else shown // 2, chats)
        for day, people, shown, chats in rows
    ]
    lines = ["day,active_people,shown,accepted,chats"]
    for each in days:
        cells = (each.day, each.active_people, each.shown, each.accepted, each.chats)
        lines.append(",".join("" if cell is None else str(cell) for cell in cells))

    assert read_days("\n".join(lines)) == (days, "csv")


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_or_refused(text):
    problems = ()
    try:
        days, _ = read_days(text)
    except Unreadable as problem:
        days, problems = [], problem.problems

    assert bool(days) is not bool(problems)
