import pytest

from apps.feedback.words import (
    LONGEST_COMMENT,
    MOST_TAGS,
    OFFERED_TAGS,
    BadComment,
    BadTag,
    checked_comment,
    checked_tags,
)


@pytest.mark.parametrize(
    ("tags", "stored"),
    [
        ([], []),
        (["Wrong", "wrong", " wrong "], ["wrong"]),
        (["made   up", "too_long", "a-1"], ["made up", "too_long", "a-1"]),
        (["x" * 40], ["x" * 40]),
    ],
)
def test_tags_are_stored_in_one_form_and_once(tags, stored):
    assert checked_tags(tags) == stored


def test_every_tag_on_offer_is_one():
    assert checked_tags(OFFERED_TAGS[:MOST_TAGS]) == list(OFFERED_TAGS[:MOST_TAGS])
    assert checked_tags(OFFERED_TAGS[MOST_TAGS:]) == list(OFFERED_TAGS[MOST_TAGS:])


@pytest.mark.parametrize("tag", ["", " ", "-x", "größe", "<b>", "x" * 41, "a\x00b", "a,b"])
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(BadTag):
        checked_tags([tag])


def test_too_many_tags_are_refused():
    with pytest.raises(BadTag):
        checked_tags([f"tag {number}" for number in range(MOST_TAGS + 1)])


@pytest.mark.parametrize(
    ("comment", "stored"),
    [
        ("", ""),
        ("  two\r\nlines\t \n", "two\nlines"),
        ("x" * LONGEST_COMMENT, "x" * LONGEST_COMMENT),
        ("größer 🙂", "größer 🙂"),
    ],
)
def test_a_comment_is_stored_without_blanks_around_it(comment, stored):
    assert checked_comment(comment) == stored


@pytest.mark.parametrize("comment", ["x" * (LONGEST_COMMENT + 1), "a\x00b", "a\x1bb", "a\rb"])
def test_a_comment_that_cannot_be_shown_is_refused(comment):
    with pytest.raises(BadComment):
        checked_comment(comment)
