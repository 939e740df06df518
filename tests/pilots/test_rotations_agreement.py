"""Which candidates may take turns with each other, and what is told of those that may not."""

import pytest

from apps.pilots.rotations import cautions, disagreements
from tests.pilots.arms import arm

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "fields", "told"),
    [
        ("chat", {}, []),
        ("chat", {"has_tools": False, "fim_template": ""}, []),
        ("agent", {}, []),
        ("agent", {"has_tools": False}, ["B calls no tools, which agents need."]),
        ("chat", {"state": "retired"}, ["B is retired."]),
        (
            "edit",
            {"serves": ["completions"]},
            ["B does not chat: its provider does not serve chat/completions."],
        ),
        # Any of three ways to fill in code will do.
        ("completion", {}, []),
        ("completion", {"fim_template": "", "serves": ["completions", "suffix"]}, []),
        ("completion", {"fim_template": "", "serves": ["fim/completions"]}, []),
        (
            "completion",
            {"fim_template": ""},
            [
                "B cannot fill in code: it needs a fill-in-the-middle template, or a provider that "
                "serves fim/completions or suffix."
            ],
        ),
        (
            "chat",
            {"residence": "inside"},
            ["Code would go to different classes of place (A: outside; B: inside)."],
        ),
        ("chat", {"context_tokens": 64_000}, []),
        ("chat", {"context_tokens": 16_000}, []),
        (
            "chat",
            {"context_tokens": 64_001},
            ["Their contexts differ by more than a factor of 2: A takes 32,000 tokens, B 64,001."],
        ),
        (
            "chat",
            {"context_tokens": None},
            ["Type how many tokens of context B takes: for others it is known."],
        ),
        (
            "chat",
            {"driver": "other"},
            ["They are reached by different protocols (A: openai; B: other)."],
        ),
        (
            "chat",
            {"residence": "private", "context_tokens": 1},
            [
                "Code would go to different classes of place (A: outside; B: private path).",
                "Their contexts differ by more than a factor of 2: B takes 1 tokens, A 32,000.",
            ],
        ),
    ],
)
def test_only_candidates_that_agree_may_take_turns(role, fields, told):
    assert disagreements([arm(name="A"), arm(**fields)], role) == told


def test_contexts_that_nobody_knows_and_pauses_are_told():
    arms = [arm(name="A", context_tokens=None), arm(context_tokens=None, state="paused")]

    assert disagreements(arms, "chat") == []
    assert cautions(arms) == [
        "How long a context they take is not known: nothing was compared.",
        "B is paused: until it is resumed, the next in turn answers for it.",
    ]
    assert cautions([arm(), arm()]) == []
