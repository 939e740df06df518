import re

from apps.accounts import pseudonyms


def test_a_pseudonym_is_two_known_words_and_three_digits():
    shape = re.compile(r"([a-z]+)-([a-z]+)-([1-9][0-9]{2})")

    for _ in range(200):
        quality, creature, _ = shape.fullmatch(pseudonyms.new_pseudonym()).groups()
        assert quality in pseudonyms.QUALITIES.split()
        assert creature in pseudonyms.CREATURES.split()


def test_no_word_stands_twice_and_the_longest_fit_the_column():
    first, second = pseudonyms.QUALITIES.split(), pseudonyms.CREATURES.split()

    assert len(set(first)) == len(first)
    assert len(set(second)) == len(second)
    assert max(map(len, first)) + max(map(len, second)) + 5 <= 32
