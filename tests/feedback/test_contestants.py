"""Who is compared with whom."""

import random
from collections import Counter
from datetime import timedelta
from itertools import combinations

import pytest

from apps.catalog.models import CandidateState, Residence
from apps.feedback import contestants
from apps.feedback.comparison_votes import vote, withdraw_vote
from apps.feedback.contestants import NobodyToCompare, draw
from apps.pilots.models import Goal, UseRole
from apps.pilots.rotations import start_rotation
from tests.factories import NOON, make_candidate, make_provider, make_trial
from tests.feedback.comparing import make_contest

HOUR = timedelta(hours=1)


def ids(candidates):
    return [each.id for each in candidates]


def pairs(contest, role=UseRole.CHAT):
    return contestants.pairs(contest.pilot, role, now=NOON)


@pytest.mark.django_db
class TestPairs:
    def test_are_all_of_those_on_trial(self):
        contest = make_contest(3)

        assert pairs(contest) == list(combinations(ids(contest.candidates), 2))

    def test_stay_within_a_class_of_place(self):
        contest = make_contest(2)
        inside = make_provider(residence=Residence.INSIDE)
        at_home = [make_candidate(provider=inside) for _ in range(2)]
        for each in at_home:
            make_trial(contest.pilot, each)

        assert pairs(contest) == [tuple(ids(contest.candidates)), tuple(ids(at_home))]

    def test_are_those_of_the_rotation_where_there_is_one(self):
        contest = make_contest(4)
        turning = contest.candidates[1:3]
        start_rotation(pilot=contest.pilot, role=UseRole.CHAT, candidate_ids=ids(turning), now=NOON)

        assert pairs(contest) == [tuple(ids(turning))]
        assert len(pairs(contest, UseRole.AGENT)) == 6

    def test_are_those_who_will_take_turns_before_the_first_day(self):
        contest = make_contest(3)
        rotation = start_rotation(
            pilot=contest.pilot,
            role=UseRole.CHAT,
            candidate_ids=ids(contest.candidates[:2]),
            now=NOON,
        )
        rotation.eras.update(first_day=NOON.date() + timedelta(days=1))

        assert pairs(contest) == [tuple(ids(contest.candidates[:2]))]

    @pytest.mark.parametrize("case", ["dropped", "paused", "retired", "cannot chat", "closed shop"])
    def test_leave_out_who_does_not_answer(self, case):
        contest = make_contest(3)
        out = contest.candidates[2]
        if case == "dropped":
            contest.pilot.trials.filter(candidate=out).update(dropped_at=NOON)
        elif case in ("paused", "retired"):
            out.state = CandidateState(case)
            out.save(update_fields=["state"])
        else:
            out.provider = make_provider(
                serves=["completions"] if case == "cannot chat" else ["chat/completions"],
                retired_at=NOON if case == "closed shop" else None,
            )
            out.save(update_fields=["provider"])

        assert pairs(contest) == [tuple(ids(contest.candidates[:2]))]


@pytest.mark.django_db
class TestTimesCompared:
    def count(self, contest, **fields):
        return contestants.times_compared(contest.pilot, UseRole.CHAT, since=NOON - HOUR)

    def test_counts_a_pair_whichever_side_was_whose(self):
        contest = make_contest(2)
        for seed in range(6):
            asked = contest.ready(person=contest.colleague().person, chance=random.Random(seed))
            vote(comparison=asked, outcome="tie", now=NOON)

        assert self.count(contest) == {tuple(ids(contest.candidates)): 6}

    def test_leaves_out_what_tells_nothing(self):
        contest = make_contest(2)
        withdrawn = contest.ready()
        vote(comparison=withdrawn, outcome="left", now=NOON)
        withdraw_vote(comparison=withdrawn, now=NOON)
        # Failed, of another role, and never judged for an hour.
        contest.answered(contest.ask(now=NOON + HOUR / 2), "One.", None)
        contest.ready(role=UseRole.EDIT, now=NOON + HOUR)
        contest.ready(now=NOON - 2 * HOUR)

        assert self.count(contest) == {}

    def test_counts_what_may_still_be_judged(self):
        contest = make_contest(2)
        contest.ready()

        assert self.count(contest) == {tuple(ids(contest.candidates)): 1}


def test_the_least_compared_pair_is_drawn_first():
    among = [(1, 2), (1, 3), (2, 3)]

    for seed in range(20):
        drawn = draw(among, {(1, 2): 3, (1, 3): 2, (2, 3): 3}, random.Random(seed))
        assert sorted(drawn) == [1, 3]


def test_ties_and_sides_are_left_to_chance():
    among = [(1, 2), (1, 3), (2, 3)]
    chance = random.Random(7)

    drawn = Counter(draw(among, {}, chance) for _ in range(6_000))

    assert len(drawn) == 6
    assert all(850 < times < 1_150 for times in drawn.values())


def test_without_two_nobody_is_drawn():
    with pytest.raises(NobodyToCompare):
        draw([], {}, random.Random(1))


@pytest.mark.django_db
def test_prompts_are_compared_for_chat_and_for_roles_that_wins_decide():
    contest = make_contest()
    assert contestants.roles_compared(contest.pilot) == [UseRole.CHAT]

    for role, measure in (("agent", "wins"), ("edit", "daily")):
        Goal.objects.create(pilot=contest.pilot, role=role, measure=measure, margin="0.05")

    assert contestants.roles_compared(contest.pilot) == [UseRole.CHAT, UseRole.AGENT]
