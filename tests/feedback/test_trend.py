from datetime import date, timedelta

from apps.feedback.trend import HEIGHT, WIDTH, Bar, DayVotes, drawn, level

MONDAY = date(2026, 11, 16)


def days(*told):
    return [DayVotes(MONDAY + timedelta(days=n), *each) for n, each in enumerate(told)]


def test_days_stand_side_by_side_and_their_answers_are_joined():
    trend = drawn(days((0, 0, 1), (0, 0, None), (0, 0, 5), (0, 0, 3)))

    assert trend.dots == ((80, 88), (400, 8), (560, 48))
    assert trend.lines == ("80,88 400,8 560,48",)
    assert trend.levels == (88, 68, 48, 28, 8)
    assert trend.box == "0 0 640 96"
    assert (trend.right, trend.bars, trend.most) == (WIDTH, (), 0)


def test_ratings_stand_on_each_other_the_liked_below():
    trend = drawn(days((4, 3), (0, 0), (2, 2), (1, 0)))

    assert trend.most == 4
    assert trend.bars == (
        Bar(x=69, width=22, liked_y=30, liked_height=66, rest_y=8, rest_height=22),
        Bar(x=389, width=22, liked_y=52, liked_height=44, rest_y=52, rest_height=0),
        Bar(x=549, width=22, liked_y=96, liked_height=0, rest_y=74, rest_height=22),
    )


def test_one_answer_is_a_dot_without_a_line():
    trend = drawn(days((0, 0, 4)))

    assert (trend.dots, trend.lines) == (((320, 28),), ())


def test_nothing_is_drawn_of_nothing():
    assert drawn([]).dots == drawn([]).bars == ()


def test_everything_stays_within_the_drawing():
    trend = drawn(days(*((n % 7, n % 3 if n % 7 > 2 else 0, n % 5 + 1) for n in range(42))))

    for bar in trend.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.rest_y <= bar.liked_y <= HEIGHT
    assert [level(score) for score in (1, 5)] == [88, 8]
