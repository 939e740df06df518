"""What is read of Continue's events, of both schemas, and what is not."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.feedback.ide_events import BadEvent, IdeReport, local_name, read_event
from tests.factories import NOON
from tests.feedback.continue_events import CODE, DATA, MARKS, event

TOLD = datetime(2026, 11, 18, 12, 5, tzinfo=UTC)
TITLE = "Candidate · chat · chat"


def read(name, **options):
    return read_event(event(name, **options))


def kept(report):
    """What an event's row is made of, but for what tells it from others."""
    names = ("task", "models", "provider", "is_accepted", "language", "prompt_tokens")
    names += ("generated_tokens", "tool", "has_succeeded", "completion")
    return {name: value for name in names if (value := getattr(report, name)) not in ("", None, ())}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "autocomplete",
            {
                "task": "autocomplete",
                "models": ("chat",),
                "provider": "mistral",
                "is_accepted": True,
                "language": "python",
            },
        ),
        (
            "chatFeedback",
            {
                "task": "chat",
                "models": (TITLE, TITLE),
                "provider": "openai",
                "is_accepted": True,
            },
        ),
        ("chatInteraction", {"task": "agent", "models": (TITLE, TITLE), "provider": "openai"}),
        (
            "editInteraction",
            {
                "task": "edit",
                "models": (TITLE, TITLE),
                "provider": "openai",
                "language": "python",
            },
        ),
        (
            "editOutcome",
            {
                "task": "edit",
                "models": (TITLE, TITLE),
                "provider": "openai",
                "is_accepted": True,
                "language": "python",
            },
        ),
        (
            "nextEditOutcome",
            {
                "task": "autocomplete",
                "models": ("chat",),
                "provider": "mistral",
                "is_accepted": False,
                "language": "python",
            },
        ),
        (
            "tokensGenerated",
            {
                "models": ("chat",),
                "provider": "openai",
                "prompt_tokens": 1_000,
                "generated_tokens": 100,
            },
        ),
        (
            "toolUsage",
            {
                "task": "agent",
                "is_accepted": True,
                "tool": "read_file",
                "has_succeeded": False,
            },
        ),
    ],
)
def test_every_kind_is_read(name, fields):
    report = read(name)

    assert (report.kind, report.schema, report.told_at) == (name, "0.2.0", TOLD)
    assert kept(report) == fields


@pytest.mark.parametrize("name", DATA)
def test_no_code_path_or_repository_is_in_what_is_read(name):
    report = read(name)

    assert not [mark for mark in MARKS if mark in repr(report) or mark in repr(report.marks)]


def test_the_older_schema_tells_less():
    autocomplete = read("autocomplete", schema="0.1.0")
    feedback = read("chatFeedback", schema="0.1.0", timestamp=None, modelTitle=None)
    tokens = read("tokensGenerated", schema="0.1.0", timestamp=None)

    assert (autocomplete.schema, autocomplete.told_at, autocomplete.is_accepted) == (
        "0.1.0",
        TOLD,
        True,
    )
    assert (feedback.models, feedback.told_at, feedback.is_accepted) == ((TITLE,), None, True)
    assert (tokens.prompt_tokens, tokens.told_at) == (1_000, None)


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("quickEdit", "0.1.0"),
        ("nextEditWithHistory", "0.2.0"),
        ("somethingNew", "0.2.0"),
        ("autocomplete", "0.3.0"),
        ("", ""),
    ],
)
def test_of_other_names_and_schemas_nothing_is_kept(name, schema):
    assert read_event({"name": name, "schema": schema, "data": {"accepted": "?"}}) is None


def test_fields_that_nobody_knows_do_not_matter():
    assert kept(read("autocomplete", somethingNew={"a": [1]})) == kept(read("autocomplete"))


def test_what_was_neither_taken_nor_left_is_neither():
    assert read("autocomplete", accepted=None).is_accepted is None
    assert read("nextEditOutcome", accepted=False, aborted=True).is_accepted is None
    assert read("chatFeedback", feedback=None).is_accepted is None


def test_a_chat_without_tools_is_a_chat():
    assert read("chatInteraction", tools=[]).task == "chat"


@pytest.mark.parametrize(
    ("told", "id_"),
    [
        ("chatcmpl-019aa1b2c3d47e5f8a6b7c8d9e0f1a2b", "019aa1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
        ("cmpl-019aa1b2c3d47e5f8a6b7c8d9e0f1a2b", "019aa1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
        ("chatcmpl-9XyzSomebodyElses", None),
    ],
)
def test_the_completions_id_is_ours_or_nobodys(told, id_):
    report = read("nextEditOutcome", requestId=told)

    assert report.completion == (id_ and UUID(id_))


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("2026-11-18T13:05:00+01:00", TOLD),
        ("2026-11-18T12:05:00", TOLD),
        (1_795_003_500_000, TOLD),
        (1_795_003_500_000.0, TOLD),
    ],
)
def test_times_are_read_however_they_are_written(told, at):
    assert read("autocomplete", timestamp=told).told_at == at


@pytest.mark.parametrize(
    ("data", "param"),
    [
        ({"accepted": "yes"}, "data.accepted"),
        ({"accepted": 1}, "data.accepted"),
        ({"modelName": 7}, "data.modelName"),
        ({"filepath": ["a"]}, "data.filepath"),
        ({"timestamp": "yesterday"}, "data.timestamp"),
        ({"timestamp": True}, "data.timestamp"),
        ({"timestamp": 1e300}, "data.timestamp"),
        ({"timestamp": []}, "data.timestamp"),
    ],
)
def test_a_field_of_another_type_is_named(data, param):
    with pytest.raises(BadEvent) as refused:
        read("autocomplete", **data)

    assert refused.value.param == param


@pytest.mark.parametrize("count", [-1, 2**31, 1.5, True, "7"])
def test_counts_of_tokens_are_whole_and_not_absurd(count):
    with pytest.raises(BadEvent) as refused:
        read("tokensGenerated", promptTokens=count)

    assert refused.value.param == "data.promptTokens"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"schema": "0.2.0", "data": {}}, "name"),
        ({"name": 1, "schema": "0.2.0", "data": {}}, "name"),
        ({"name": "autocomplete", "data": {}}, "schema"),
        ({"name": "autocomplete", "schema": "0.2.0"}, "data"),
        ({"name": "autocomplete", "schema": "0.2.0", "data": []}, "data"),
    ],
)
def test_an_event_without_its_frame_is_refused(body, param):
    with pytest.raises(BadEvent) as refused:
        read_event(body)

    assert refused.value.param == param


@pytest.mark.parametrize(
    ("models", "name"),
    [
        (("qwen2.5-coder:7b",), "qwen2.5-coder:7b"),
        (("My own · model", "hf.co/org/model:Q4"), "hf.co/org/model:Q4"),
        ((CODE,), ""),
        ((), ""),
    ],
)
def test_a_local_models_name_is_kept_only_if_it_is_one(models, name):
    assert local_name(IdeReport("tokensGenerated", "0.2.0", models=models)) == name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted({name for data in DATA.values() for name in data} | {"timestamp", "requestId"})


@settings(deadline=None)  # it is the making of examples that takes its time
@given(
    st.sampled_from(sorted(DATA)),
    st.sampled_from(["0.1.0", "0.2.0"]),
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)
def test_whatever_the_fields_hold_it_is_an_event_or_a_named_fault(name, schema, data):
    body = event(name, schema=schema)
    body["data"] |= data
    # What travels as JSON: no more and no less.
    body = json.loads(json.dumps(body))

    fault, report = "", None
    try:
        report = read_event(body)
    except BadEvent as problem:
        fault = problem.param.removeprefix("data.")

    if report is None:
        assert fault in data
    else:
        assert report.kind == name
        assert len(report.digest(NOON)) == 64
        assert "\0" not in "".join([*report.models, report.language, report.tool])
