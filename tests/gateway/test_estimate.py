import pytest

from apps.gateway.estimate import Calibration


def test_before_anything_is_known_a_token_has_four_bytes():
    calibration = Calibration()

    assert calibration.prompt_tokens(1, 400) == 100
    assert calibration.completion_tokens(1, 400, None) == 100


def test_the_first_known_call_sets_the_ratio_and_later_ones_move_it():
    calibration = Calibration()

    calibration.learn(1, prompt=(300, 100), completion=(200, 100))
    assert (calibration.prompt_tokens(1, 300), calibration.completion_tokens(1, 200, None)) == (
        100,
        100,
    )
    calibration.learn(1, prompt=(400, 100), completion=(300, 100))
    assert calibration.prompt_tokens(1, 310) == 100
    assert calibration.completion_tokens(1, 210, None) == 100
    assert calibration.prompt_tokens(2, 400) == 100  # another candidate learns for itself


@pytest.mark.parametrize(("size", "tokens"), [(0, 5), (5, 0), (5, None), (1, 100), (4_000, 1)])
def test_absurd_counts_teach_nothing(size, tokens):
    calibration = Calibration()

    calibration.learn(1, prompt=(size, tokens), completion=(size, tokens))

    assert calibration.prompt_tokens(1, 400) == 100


@pytest.mark.parametrize(
    ("size", "most", "tokens"),
    [(400, 7, 7), (400, None, 100), (1, None, 1), (0, 7, 0), (40, 16, 10)],
)
def test_an_estimate_is_never_above_the_cap(size, most, tokens):
    assert Calibration().completion_tokens(1, size, most) == tokens
