"""What one's page tells of all that one said, and how it is taken back."""

from datetime import date, timedelta

import pytest

from apps.feedback import about_answers
from apps.feedback.about_answers import Answered, EventCount, NotTheirs
from apps.feedback.actions import rate
from apps.feedback.models import (
    ComparedAnswer,
    Comparison,
    DailyQuestion,
    DailyRevision,
    PulseAnswer,
    Rating,
)
from tests.factories import NOON, make_candidate
from tests.feedback import answers
from tests.feedback.blind import make_rotation
from tests.feedback.conftest import AT

pytestmark = pytest.mark.usefixtures("clock")

DAY = timedelta(days=1)


def give(world, *, person=None, **said):
    person = person or world.person
    call = world.call(person=person)
    return rate(call=call, person=person, score=1, scale="thumbs", via="page", now=NOON, **said)


def say_one_of_each(world, person=None):
    """Return the kind and key of each."""
    rating = give(world, person=person, comment="words of a rating", tags=["clear"])
    day = answers.say_of_day(world, person=person)
    DailyRevision.objects.create(question=day, score=2, reason="words before", until=NOON)
    week = answers.say_of_week(world, person=person)
    voted = answers.vote(world, world.candidate, make_candidate(), person=person)
    return {"ratings": rating.call_id, "days": day.id, "weeks": week.id, "votes": voted.id}


def standing(person):
    """How many answers of each kind count."""
    return {
        "ratings": Rating.objects.filter(person=person, withdrawn_at=None).count(),
        "days": about_answers.standing_days(person).count(),
        "weeks": about_answers.standing_weeks(person).count(),
        "votes": about_answers.standing_votes(person).count(),
    }


def words(person):
    """All words of a person's own that are still stored."""
    return {
        *Rating.objects.filter(person=person).values_list("comment", flat=True),
        *DailyQuestion.objects.filter(person=person).values_list("reason", flat=True),
        *DailyRevision.objects.filter(question__person=person).values_list("reason", flat=True),
        *PulseAnswer.objects.filter(person=person).values_list("comment", flat=True),
        *Comparison.objects.filter(person=person).values_list("prompt", flat=True),
        *ComparedAnswer.objects.filter(comparison__person=person).values_list("text", flat=True),
    } - {""}


def test_what_one_said_is_told_by_kind_the_latest_first(world):
    today = answers.say_of_day(world)
    before = answers.say_of_day(world, day=answers.TODAY - DAY, score=1, reason="", role="edit")
    answers.say_of_day(world, day=answers.TODAY - 2 * DAY, score=None)
    week = answers.say_of_week(world)
    voted = answers.vote(world, outcome="both_bad")
    picked = answers.vote(
        world, is_blind=False, outcome="", winner_id=world.candidate.id, voted_at=NOON - DAY
    )
    answers.vote(world, outcome="", voted_at=None)
    answers.say_of_day(world, person=world.colleague().person)

    days, weeks, votes = about_answers.answers_of(world.person)

    name = world.pilot.name
    assert (days.count, weeks.count, votes.count) == (2, 1, 2)
    assert days.rows == [
        Answered("days", str(today.id), today.day, "Chat", "4 of 5", "words of the day", name),
        Answered("days", str(before.id), before.day, "Edit", "1 of 5", "", name),
    ]
    assert [(each.key, each.words, each.comment) for each in weeks.rows] == [
        (str(week.id), "trust 4, time saved 2", "words of the week")
    ]
    assert [(each.key, each.about, each.words) for each in votes.rows] == [
        (str(voted.id), "blind", "Both are bad"),
        (str(picked.id), "side by side", "One was best"),
    ]


def test_events_are_counted_by_month_and_kind(world):
    for n, day in enumerate([date(2026, 11, 18), date(2026, 11, 2), date(2026, 10, 30)]):
        answers.tell_event(world, digest=f"digest {n}", day=day)
    answers.tell_event(world, digest="another", kind="chatFeedback")
    answers.tell_event(world, person=world.colleague().person)

    assert about_answers.events_of(world.person) == [
        EventCount(date(2026, 11, 1), "autocomplete", 2),
        EventCount(date(2026, 11, 1), "chatFeedback", 1),
        EventCount(date(2026, 10, 1), "autocomplete", 1),
    ]


def test_the_page_shows_all_of_it_and_names_no_blind_candidate(client, world):
    other = make_candidate(name="The Other One")
    world.candidate.name = "The First One"
    world.candidate.save(update_fields=["name"])
    rotation = make_rotation(world.pilot, world.candidate, other)
    call = world.call(alias="pilot-chat")
    rate(call=call, person=world.person, score=1, scale="thumbs", via="page", now=NOON)
    say_one_of_each_blind = (answers.say_of_day, answers.say_of_week, answers.vote)
    for say in say_one_of_each_blind:
        say(world)
    answers.tell_event(world)
    answers.send_away(world, rotation, other)
    answers.want_to_be_asked(world)
    client.force_login(world.user)

    html = client.get("/me/").content.decode()

    for shown in (
        *("words of the day", "words of the week", "autocomplete", "November 2026"),
        *("In our chat", "chat.example.com, ends in 1234", "pilot-chat"),
    ):
        assert shown in html
    for hidden in ("The First One", "The Other One", "my own prompt", answers.ADDRESS):
        assert hidden not in html


@pytest.mark.parametrize("kind", ["ratings", "days", "weeks", "votes"])
def test_each_answer_is_taken_back_by_itself(client, world, kind):
    keys = say_one_of_each(world)
    client.force_login(world.user)

    first = client.post(f"/me/withdraw/{kind}/{keys[kind]}/")
    again = client.post(f"/me/withdraw/{kind}/{keys[kind]}/")

    assert (first.status_code, again.status_code) == (302, 404)
    assert standing(world.person) == {each: int(each != kind) for each in keys}


@pytest.mark.parametrize("kind", ["ratings", "days", "weeks", "votes"])
def test_all_of_a_kind_are_taken_back_and_nobody_elses(client, world, kind):
    colleague = world.colleague().person
    keys = say_one_of_each(world)
    say_one_of_each(world, person=colleague)
    client.force_login(world.user)

    response = client.post(f"/me/withdraw/{kind}/", follow=True)

    assert standing(world.person) == {each: int(each != kind) for each in keys}
    assert standing(colleague) == dict.fromkeys(keys, 1)
    noun = {"ratings": "rating", "days": "daily answer", "weeks": "weekly answer", "votes": "vote"}
    assert [str(message) for message in response.context["messages"]] == [
        f"One {noun[kind]} is withdrawn. The sums follow in a moment."
    ]


def test_everything_is_taken_back_at_once(client, world):
    keys = say_one_of_each(world)
    client.force_login(world.user)

    response = client.post("/me/withdraw/everything/", follow=True)

    assert standing(world.person) == dict.fromkeys(keys, 0)
    assert [str(message) for message in response.context["messages"]] == [
        "4 answers are withdrawn. The sums follow in a moment."
    ]


@pytest.mark.parametrize("kind", ["ratings", "days", "weeks", "votes"])
@pytest.mark.parametrize("key", ["theirs", "1", "nonsense", "01900000-0000-7000-8000-000000000000"])
def test_what_is_not_ones_own_is_not_there(client, world, kind, key):
    colleague = world.colleague().person
    theirs = say_one_of_each(world, person=colleague)
    client.force_login(world.user)

    response = client.post(f"/me/withdraw/{kind}/{theirs[kind] if key == 'theirs' else key}/")

    assert response.status_code == 404
    assert standing(colleague) == dict.fromkeys(theirs, 1)


@pytest.mark.parametrize("path", ["nonsense/", "nonsense/1/", "everything/1/"])
def test_an_unknown_kind_is_not_there(client, world, path):
    client.force_login(world.user)

    assert client.post(f"/me/withdraw/{path}").status_code == 404


def test_an_unknown_kind_is_refused_by_the_action(world):
    with pytest.raises(NotTheirs):
        about_answers.withdraw_one("nonsense", "1", person=world.person, now=AT)
    with pytest.raises(KeyError):
        about_answers.withdraw_all("nonsense", person=world.person, now=AT)


def test_words_are_erased_everywhere_and_what_was_said_stays(client, world):
    colleague = world.colleague().person
    keys = say_one_of_each(world)
    say_one_of_each(world, person=colleague)
    client.force_login(world.user)

    response = client.post("/me/erase-words/", follow=True)

    assert words(world.person) == set()
    assert standing(world.person) == dict.fromkeys(keys, 1)
    assert len(words(colleague)) == 7
    assert [str(message) for message in response.context["messages"]] == [
        "The words of 4 answers are erased. Their scores stay."
    ]
