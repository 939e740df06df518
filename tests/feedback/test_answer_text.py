"""How an answer is cut into words and code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feedback.answer_text import Block, blocks_of


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("", []),
        ("  \n ", []),
        ("Just words.\n\nTwo paragraphs.", [Block("Just words.\n\nTwo paragraphs.")]),
        (
            "So:\n```python\ndef f():\n    pass\n```\nDone.",
            [Block("So:"), Block("def f():\n    pass", True, "python"), Block("Done.")],
        ),
        ("```\na\n```", [Block("a", True)]),
        ("~~~~ go title=x\n```\n~~~~", [Block("```", True, "go")]),
        # A fence is closed by one at least as long, of the same sign.
        ("````\n```\n````", [Block("```", True)]),
        ("```\n~~~\n```", [Block("~~~", True)]),
        # Never closed, as where an answer was cut off.
        ("```js\nlet a", [Block("let a", True, "js")]),
        ("```\r\na\r\n```", [Block("a", True)]),
        # Inline code is words.
        ("Call `f()`, or ```g()``` now.", [Block("Call `f()`, or ```g()``` now.")]),
    ],
)
def test_code_is_told_from_words(text, blocks):
    assert blocks_of(text) == blocks


@given(st.lists(st.sampled_from(["```", "~~~", "```py", "a", "", " b ", "````"])))
def test_no_line_of_an_answer_is_lost(lines):
    kept = "\n".join(block.text for block in blocks_of("\n".join(lines)))

    assert kept.count("a") == lines.count("a")
    assert kept.count("b") == lines.count(" b ")
