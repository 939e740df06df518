"""What is missing before a pilot can start, and what had better not be: each with a page to fix it.

Blockers keep a pilot from starting; the rest is advice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from apps.accounts import mail
from apps.catalog.models import Candidate, CandidateState
from apps.catalog.queries import CandidateRow, candidate_rows
from apps.catalog.reports import last_test
from apps.core.periods import day_of
from apps.pilots.models import Enrollment, Goal, Measure, Pilot, Plan, Stage
from apps.pilots.plan_defaults import FINALISTS, FINALISTS_MOST, MANY_PEOPLE, SCREENERS_MOST
from apps.pilots.plan_queries import goals_of, open_join_links, plan_of
from apps.pilots.queries import trials_of
from apps.pilots.rotations import cautions, disagreements

LITTLE_TIME_DAYS = 14


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing to see to: what, why it matters, and the page that does it."""

    title: str
    detail: str
    url: str
    is_blocker: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """All that a checklist looks at, read once."""

    pilot: Pilot
    plan: Plan
    goals: list[Goal]
    rows: dict[int, CandidateRow]
    on_trial: frozenset[int]
    people: int
    links: int
    now: datetime

    def url(self, step: str) -> str:
        return reverse(f"plan_{step}", args=[self.pilot.slug])

    def served(self, goal: Goal) -> list[Candidate]:
        return [self.rows[each].candidate for each in goal.candidate_ids if each in self.rows]


def setting_of(pilot: Pilot, *, now: datetime) -> Setting:
    people = Enrollment.objects.filter(pilot=pilot, left_at__isnull=True).count()
    return Setting(
        pilot=pilot,
        plan=plan_of(pilot),
        goals=goals_of(pilot),
        rows={row.candidate.id: row for row in candidate_rows(now=now)},
        on_trial=frozenset(trial.candidate_id for trial in trials_of(pilot)),
        people=people,
        links=len(open_join_links(pilot, now=now)),
        now=now,
    )


def checklist(pilot: Pilot, *, now: datetime) -> list[Missing]:
    """Return what is missing, blockers first."""
    setting = setting_of(pilot, now=now)
    found = [
        *_days(setting),
        *_candidates(setting),
        *_roles(setting),
        *_people(setting),
        *_thresholds(setting),
    ]
    return sorted(found, key=lambda each: not each.is_blocker)


def _days(setting: Setting) -> Iterable[Missing]:
    pilot, plan, url = setting.pilot, setting.plan, setting.url("basics")
    today = day_of(setting.now, pilot.zone_info)
    if pilot.ends_on < today:
        yield Missing("The last day lies in the past", "Choose other days.", url, True)
    elif pilot.starts_on < today and pilot.is_draft:
        detail = "Whoever reads the days will look for figures that cannot be there."
        yield Missing("The first day lies in the past", detail, url)
    days = (pilot.ends_on - pilot.starts_on).days + 1
    if pilot.stage == Stage.TRIAL and days < LITTLE_TIME_DAYS:
        detail = "Two weeks are the least that finds a clearly bad candidate; four are usual."
        yield Missing(f"{days} days are short for a trial", detail, url)
    if plan.decide_by < today:
        url = setting.url("measures")
        yield Missing("The decide-by date lies in the past", "Choose another.", url, True)
    elif plan.decide_by > pilot.ends_on:
        detail = "Nothing is measured in between."
        yield Missing("It decides after its last day", detail, setting.url("measures"))
    if pilot.budget_usd is None:
        detail = "Without one nobody is told when spending runs ahead."
        yield Missing("No budget", detail, setting.url("basics"))


def _candidates(setting: Setting) -> Iterable[Missing]:
    url = setting.url("candidates")
    if not any(goal.candidate_ids for goal in setting.goals):
        detail = "Register one under Set-up, Candidates, and choose whom to try."
        yield Missing("No candidate serves any role", detail, url, True)
    planned = {each for goal in setting.goals for each in goal.candidate_ids}
    for row in setting.rows.values():
        if row.candidate.id in planned | setting.on_trial:
            yield from _candidate(row)
        if row.candidate.id in planned - setting.on_trial:
            detail = "It was dropped from the pilot and still serves a role: choose anew."
            yield Missing(f"{row.candidate.name} is not on trial", detail, url, True)
        if row.candidate.id in setting.on_trial - planned:
            detail = "Choose a role for it, or drop it."
            yield Missing(f"{row.candidate.name} is on trial and serves no role", detail, url)


def _candidate(row: CandidateRow) -> Iterable[Missing]:
    candidate = row.candidate
    url = reverse("setup_candidate", args=[candidate.slug])
    provider_url = reverse("setup_provider", args=[candidate.provider.slug])
    if candidate.state != CandidateState.ACTIVE or candidate.provider.retired_at is not None:
        state = "retired" if candidate.provider.retired_at else candidate.get_state_display()
        detail = "Its calls would be refused, or answered by another."
        yield Missing(f"{candidate.name} is {state.lower()}", detail, url, True)
    tested = last_test(candidate.provider)
    if tested is None:
        detail = "Nobody has tested it today: does it let us in, does it stream?"
        yield Missing(f"{candidate.provider.name} is not tested", detail, provider_url)
    elif not tested.report.passed:
        detail = "Its last test says why."
        yield Missing(f"{candidate.provider.name} fails its test", detail, provider_url)
    if row.is_uncosted:
        detail = "What it costs will not be known: its calls count as uncosted."
        yield Missing(f"{candidate.name} has no price", detail, url)


def _roles(setting: Setting) -> Iterable[Missing]:
    url, plan = setting.url("candidates"), setting.plan
    people = max(plan.people_expected, setting.people)
    is_trial = setting.pilot.stage == Stage.TRIAL
    for goal in setting.goals:
        role, arms = goal.get_role_display(), setting.served(goal)
        if is_trial and goal.is_blind and len(arms) >= FINALISTS:
            for reason in disagreements(arms, goal.role):
                title = f"{role}: they cannot take turns blind"
                yield Missing(title, reason, url, True)
            for caution in cautions(arms):
                yield Missing(f"{role}: before they take turns", caution, url)
        elif is_trial and len(arms) >= FINALISTS:
            detail = "People choose whom they ask, so the comparison says little about quality."
            yield Missing(f"{role} is not blind", detail, url)
        if is_trial and len(arms) == 1:
            detail = "There is nothing to compare it with but its goal."
            yield Missing(f"{role} has one candidate", detail, url)
        if is_trial and people < MANY_PEOPLE and len(arms) > FINALISTS_MOST:
            detail = f"With {people} people, {FINALISTS_MOST} at most: screen the others first."
            yield Missing(f"{role} has {len(arms)} candidates", detail, url, True)
        if goal.measure == Measure.WINS and len(arms) < FINALISTS:
            detail = "Blind wins need two candidates."
            yield Missing(f"{role} cannot be judged so", detail, setting.url("measures"), True)


def _people(setting: Setting) -> Iterable[Missing]:
    url = setting.url("people")
    if not setting.people and not setting.links:
        detail = "Invite developers by e-mail or make a link by which they join."
        yield Missing("Nobody takes part", detail, url)
    elif not setting.people:
        detail = "There is a link: send it round."
        yield Missing("Nobody has joined yet", detail, url)
    if setting.pilot.stage == Stage.SCREENING and setting.people > SCREENERS_MOST:
        detail = f"A screening is for {SCREENERS_MOST} at most; make it a trial, or take some out."
        yield Missing(f"{setting.people} people take part", detail, url, True)
    if not mail.is_set_up():
        detail = (
            "Invitations are links to hand over, and nobody is reminded. Set EMAIL_URL and restart."
        )
        yield Missing("Mail is not set up", detail, url)


def _thresholds(setting: Setting) -> Iterable[Missing]:
    plan, url = setting.plan, setting.url("measures")
    unset = [
        words
        for words, value in (
            ("seconds until the answer begins", plan.first_content_ms_most),
            ("memory", plan.memory_gb),
            ("money for a year", plan.usd_per_year_most),
            ("failed calls", plan.failed_share_most),
            ("hours of upkeep", plan.upkeep_hours_week_most),
        )
        if value is None
    ]
    if unset:
        detail = f"Without one the question stays open: {', '.join(unset)}."
        yield Missing("Thresholds not set", detail, url)
    without = [goal.get_role_display() for goal in setting.goals if goal.least is None]
    if without:
        detail = f"Nothing says what is too little for: {', '.join(without)}."
        yield Missing("Least worth having not set", detail, url)
