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


def test_what_a_candidate_usually_writes_is_learned_from_calls_without_a_cap():
    calibration, found = Calibration(), []

    for tokens, is_capped in ((500, True), (None, False), (0, False), (100, False), (200, False)):
        calibration.learn(1, prompt=(9, 3), completion=(900, tokens), is_capped=is_capped)
        found.append(calibration.expected_completion(1))

    assert found == [None, None, None, 100, 110]
    assert calibration.expected_completion(2) is None


def test_what_is_usual_moves_slowly_and_is_rounded_up():
    calibration = Calibration()
    for tokens in (1_000, 0, 1, 1):
        calibration.learn(1, prompt=(0, None), completion=(0, tokens))

    assert calibration.expected_completion(1) == 811  # 1 + 0.81 * 999 = 810.19
