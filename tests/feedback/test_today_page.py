"""What the page of today is made of."""

from datetime import timedelta

from apps.feedback.daily import answer, ask
from apps.feedback.today_page import DAYS_SHOWN, card_of, today_page
from tests.factories import NOON
from tests.feedback.days_of_use import WEDNESDAY

DAY = timedelta(days=1)


def shown(world):
    return today_page(
        person=world.person, pilot=world.pilot, enrollment=world.enrollment, url="/say/", now=NOON
    )


def test_a_card_presses_what_was_said(world):
    world.call()
    asked = ask(pilot=world.pilot, person=world.person, now=NOON)
    said = answer(question=asked, pilot=world.pilot, score=5, via="page", now=NOON)

    card = card_of(said, world.pilot, url="/say/", now=NOON)

    assert [(each.value, each.is_pressed) for each in card.scores] == [
        *((1, False), (2, False), (3, False), (4, False), (5, True))
    ]
    assert [card.scores[0].label, card.scores[1].label] == ["1 of 5, useless", "2 of 5"]
    assert (card.day, card.is_today, card.is_open, card.by_link) == (WEDNESDAY, True, True, False)


def test_without_any_use_there_is_nothing_to_ask(world):
    page = shown(world)

    assert (page.card, page.samples, page.pulse, page.days) == (None, [], None, [])
    assert (page.channel, page.problem) == ("page", "")


def test_the_last_days_are_shown_the_newest_first(world):
    for back in range(1, DAYS_SHOWN + 3):
        world.call(at=NOON - back * DAY)
        ask(pilot=world.pilot, person=world.person, now=NOON - back * DAY)

    days = [each.day for each in shown(world).days]

    assert len(days) == DAYS_SHOWN
    assert days == sorted(days, reverse=True)
    assert days[0] == WEDNESDAY - DAY
