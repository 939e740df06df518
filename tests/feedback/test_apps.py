"""What is forgotten of people who are deleted or erased, in all that they said."""

from apps.accounts.departures import deactivate, delete_person, erase
from apps.feedback.models import AskPreference, Rating, RatingRevision
from tests.factories import NOON
from tests.feedback import answers
from tests.feedback.test_about_answers import say_one_of_each, standing, words


def wishes():
    return list(AskPreference.objects.values_list("channel", "webhook", "webhook_hint"))


def test_erasing_a_person_erases_their_words_everywhere_and_keeps_what_counts(world):
    colleague = world.colleague().person
    keys = say_one_of_each(world)
    say_one_of_each(world, person=colleague)
    RatingRevision.objects.create(
        rating=Rating.objects.get(person=world.person),
        score=0,
        scale="thumbs",
        tags=["a tag"],
        comment="words before",
        until=NOON,
    )
    answers.want_to_be_asked(world)

    erase(person=world.person, actor=None, now=NOON)

    assert words(world.person) == set()
    assert list(RatingRevision.objects.values_list("tags", "comment")) == [([], "")]
    assert standing(world.person) == dict.fromkeys(keys, 1)
    assert len(words(colleague)) == 7
    assert wishes() == [("page", "", "")]


def test_deleting_a_person_forgets_where_they_were_asked_and_keeps_their_words(world):
    say_one_of_each(world)
    answers.want_to_be_asked(world)

    delete_person(user=world.user, actor=None, now=NOON)

    assert wishes() == [("page", "", "")]
    assert len(words(world.person)) == 7


def test_whoever_is_shut_out_is_asked_nowhere_any_more(world):
    answers.want_to_be_asked(world)

    deactivate(user=world.user, actor=None, now=NOON)

    assert wishes() == [("page", "", "")]
