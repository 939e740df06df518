import pytest

from apps.feedback.scales import (
    NotARating,
    WrongScale,
    in_words,
    is_liked,
    is_score,
    rating_of,
    score_of,
)


@pytest.mark.parametrize(
    ("rating", "scale", "score"),
    [("up", "thumbs", 1), ("down", "thumbs", 0), (1, "stars", 1), (5, "stars", 5)],
)
def test_a_rating_becomes_a_score_and_comes_back(rating, scale, score):
    assert score_of(rating, scale) == score
    assert rating_of(score, scale) == rating


@pytest.mark.parametrize(
    "rating", [None, "", "UP", "4", 0, 6, -1, 3.0, True, False, [], {}, ["up"], 10**30]
)
@pytest.mark.parametrize("scale", ["thumbs", "stars"])
def test_what_is_no_rating_is_refused_on_either_scale(rating, scale):
    with pytest.raises(NotARating):
        score_of(rating, scale)


@pytest.mark.parametrize(
    ("rating", "scale", "sentence"),
    [
        (4, "thumbs", 'This pilot rates with thumbs; send "up" or "down".'),
        ("up", "stars", "This pilot rates from 1 to 5; send a whole number."),
    ],
)
def test_a_rating_of_the_other_scale_says_which_one_is_used(rating, scale, sentence):
    with pytest.raises(WrongScale) as problem:
        score_of(rating, scale)

    assert str(problem.value) == sentence


@pytest.mark.parametrize(
    ("score", "scale", "liked", "words"),
    [
        (0, "thumbs", False, "not liked"),
        (1, "thumbs", True, "liked"),
        (1, "stars", False, "1 of 5"),
        (3, "stars", False, "3 of 5"),
        (4, "stars", True, "4 of 5"),  # four stars and more are liked
        (5, "stars", True, "5 of 5"),
    ],
)
def test_liked_is_thumbs_up_or_four_stars_and_more(score, scale, liked, words):
    assert (is_liked(score, scale), in_words(score, scale)) == (liked, words)


@pytest.mark.parametrize(
    ("score", "scale", "exists"),
    [
        (-1, "thumbs", False),
        (0, "thumbs", True),
        (1, "thumbs", True),
        (2, "thumbs", False),
        (0, "stars", False),
        (1, "stars", True),
        (5, "stars", True),
        (6, "stars", False),
    ],
)
def test_a_score_exists_on_its_scale_only(score, scale, exists):
    assert is_score(score, scale) is exists
