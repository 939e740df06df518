import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.pilots.models import ALIAS
from apps.usage.titles import named_in, title_of


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Mistral 7B · mistral-7b · chat", "mistral-7b"),
        ("Odd · name · mistral-7b · edit", "mistral-7b"),
        ("pilot-chat · chat", "pilot-chat"),
        ("Mistral 7B · chat", "Mistral 7B"),  # as settings had it before
        ("mistral-7b", "mistral-7b"),
        ("", ""),
    ],
)
def test_a_title_names_its_alias(title, name):
    assert named_in(title) == name


@given(st.text(), st.from_regex(ALIAS, fullmatch=True), st.sampled_from(["chat", "edit"]))
def test_every_title_leads_back_to_its_alias(name, alias, task):
    assert named_in(title_of(name, alias.rstrip("\n"), task)) == alias.rstrip("\n")
