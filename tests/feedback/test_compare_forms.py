"""What the forms of comparison take."""

import pytest
from django.http import QueryDict

from apps.feedback.compare_forms import PickForm, PromptForm, SideBySideForm, VoteForm
from apps.pilots.models import UseRole
from tests.factories import make_candidate, make_provider

BOTH = [UseRole.CHAT, UseRole.AGENT]


@pytest.mark.parametrize(
    ("roles", "said", "cleaned"),
    [
        ([UseRole.CHAT], {"prompt": " a\r\n b "}, {"prompt": " a\n b ", "role": "chat"}),
        # A role that there is no choice of is not taken from a request.
        ([UseRole.CHAT], {"prompt": "a", "role": "agent"}, {"prompt": "a", "role": "chat"}),
        (BOTH, {"prompt": "a", "role": "agent"}, {"prompt": "a", "role": "agent"}),
        (BOTH, {"prompt": "a"}, None),
        (BOTH, {"prompt": "a", "role": "edit"}, None),
        (BOTH, {"prompt": "\n", "role": "chat"}, None),
    ],
)
def test_a_prompt_keeps_its_form_and_its_role(roles, said, cleaned):
    form = PromptForm(said, roles=roles)

    assert (form.cleaned_data if form.is_valid() else None) == cleaned


@pytest.mark.parametrize(
    ("said", "is_valid"), [("left", True), ("both_bad", True), ("", False), ("LEFT", False)]
)
def test_a_vote_is_one_of_four(said, is_valid):
    assert VoteForm({"outcome": said}).is_valid() is is_valid


@pytest.mark.parametrize(
    ("said", "winner"), [("", None), ("7", 7), ("9", "refused"), ("x", "refused")]
)
def test_a_pick_is_one_of_those_asked_or_nobody(said, winner):
    form = PickForm({"winner": said}, candidate_ids=[7, 8])

    assert (form.cleaned_data["winner"] if form.is_valid() else "refused") == winner


@pytest.mark.django_db
@pytest.mark.parametrize(("count", "is_valid"), [(1, False), (2, True), (8, True), (9, False)])
def test_two_to_eight_are_asked(count, is_valid):
    provider = make_provider()
    offered = [make_candidate(provider=provider) for _ in range(10)]
    said = QueryDict(mutable=True)
    said["prompt"] = "Why?"
    said.setlist("candidates", [str(each.id) for each in offered[:count]])

    form = SideBySideForm(said, candidates=offered)

    assert form.is_valid() is is_valid
    assert SideBySideForm(candidates=offered).fields["candidates"].initial == [
        each.id for each in offered[:8]
    ]
