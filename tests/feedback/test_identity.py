"""Which answers say whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feedback.identity import FAMILIES, VENDORS, names_itself, telling_words

NAMES = ["Fast one", "fast-one", "Falcon-40B", "acme/Falcon-40B-Instruct"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am Claude, made by Anthropic.", True),
        ("As GPT-4, I cannot run code.", True),
        ("gpt4 says so", True),
        ("Qwen2.5-Coder here.", True),
        ("llama3", True),
        ("I am Phi-3.", True),
        # The candidates' own names, and those of their models.
        ("You are talking to Falcon.", True),
        ("falcon-40b", True),
        ("acme models are good", True),
        # A name within a word or an identifier is none.
        ("The falconer counts my_llama_count.", False),
        ("Collama is no name.", False),
        # A disk's partition table, and a letter of physics.
        ("Create a GPT partition.", False),
        ("phi = 1.618", False),
        # Vendors only where the answer says that it is theirs.
        ("Use google-cloud-storage or Microsoft SQL Server together.", False),
        ("I was trained by Google.", True),
        ("I'm a large language model by Meta.", True),
        ("I was created and trained by the Alibaba team.", True),
        # Words that every name has.
        ("This is a fast code assistant, one of many.", False),
        ("", False),
    ],
)
def test_an_answer_that_names_its_model_is_told_apart(text, expected):
    assert names_itself(text, names=NAMES) is expected


def test_words_of_the_prompt_are_the_askers_own():
    prompt = "How do I call Claude from Python?"

    assert names_itself("import claude", names=[], prompt=prompt) is False
    assert names_itself("import claude; I am Gemini", names=[], prompt=prompt) is True


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Qwen/Qwen2.5-Coder-32B-Instruct", {"qwen"}),
        ("mistralai/Mistral-7B-Instruct-v0.3", {"mistralai", "mistral"}),
        ("Phind-CodeLlama 34B v2", {"phind", "codellama"}),
        ("google/gemma-3-27b-it", {"gemma"}),
        ("Candidate 1", set()),
        ("The fast one", set()),
    ],
)
def test_names_are_known_by_the_words_that_are_theirs_alone(name, words):
    assert telling_words([name]) == words


@given(st.text(), st.sampled_from(sorted(FAMILIES)), st.text())
def test_any_family_is_found_between_any_words(before, family, after):
    assert names_itself(f"{before} {family.title()} {after}", names=[])


def test_families_and_vendors_are_not_the_same_words():
    assert frozenset() == FAMILIES & VENDORS
