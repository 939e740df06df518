"""Puts the demo's people, providers, candidates and pilots in place, as the pages' actions do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from apps.accounts.actions import create_user
from apps.accounts.models import Role, User
from apps.catalog.actions import add_provider
from apps.catalog.candidates import register_candidate
from apps.catalog.costs import set_price, start_hosting
from apps.catalog.models import Candidate, Provider
from apps.core.periods import DAY, Period, day_of, start_of_day
from apps.pilots.actions import create_pilot, enroll, issue_key
from apps.pilots.limits import Allowance, set_limit
from apps.pilots.models import LimitScope, Pilot
from apps.pilots.trials import add_trial
from pilotdash import env
from pilotdash.demo.cast import CLOSED, DEVELOPERS, PROVIDERS, SIMULATOR_KEY, TRIAL, SimulatedModel

RUNNING = "code-assistant"
EARLIER = "first-screening"
# The machine of the second hosted candidate rests at night.
WORK_BEGINS, WORK_ENDS = 7, 20


def zone_info() -> ZoneInfo:
    """The site's zone, in which days are kept ready."""
    return ZoneInfo(env.time_zone())


@dataclass(frozen=True, slots=True)
class Staff:
    """Who may sign in, with their passwords."""

    admin: User
    lead: User
    developers: list[User]


def make_staff(passwords: dict[str, str], *, now: datetime) -> Staff:
    """Make the users; all but three of the developers can sign in by invitation only."""
    admin = create_user(
        email="admin@example.com",
        name="Ines Admin",
        role=Role.ADMIN,
        password=passwords["admin"],
        now=now,
    )
    # The demo's administrator has no telephone. Everybody can see this on the People page.
    User.objects.filter(id=admin.id).update(totp_exempt=True)
    lead = create_user(
        email="lead@example.com",
        name="Leo Lead",
        role=Role.LEAD,
        password=passwords["lead"],
        now=now,
    )
    developers = [
        create_user(
            email=f"{name.split()[0].lower().replace('í', 'i')}@example.com",
            name=name,
            role=Role.DEVELOPER,
            password=passwords["developer"] if number == 0 else None,
            now=now,
        )
        for number, (name, *_) in enumerate(DEVELOPERS)
    ]
    return Staff(admin, lead, developers)


def make_catalog(*, begins: datetime, now: datetime) -> dict[str, Candidate]:
    """Make providers and candidates with what they cost from `begins` on, by slug."""
    providers = {
        slug: add_provider(
            slug=slug,
            name=name,
            base_url=f"{env.simulator_url()}/{slug}/v1",
            residence=residence,
            region=region,
            credential=SIMULATOR_KEY,
            now=begins,
        )
        for slug, name, residence, region in PROVIDERS
    }
    candidates = {}
    for model in (*TRIAL, *CLOSED):
        candidate = _register(model, providers[model.provider], begins)
        if model.price is not None:
            given, cached, made = model.price
            set_price(
                candidate=candidate,
                input_usd_per_mtok=given,
                cached_usd_per_mtok=cached,
                output_usd_per_mtok=made,
                now=begins,
                source="made up for the demo",
            )
        candidates[model.slug] = candidate
    return candidates


def _register(model: SimulatedModel, provider: Provider, now: datetime) -> Candidate:
    return register_candidate(
        provider=provider,
        slug=model.slug,
        name=model.name,
        upstream_model=model.upstream_model,
        deployment=model.deployment,
        context_tokens=model.context_tokens,
        fim_template=model.fim_template,
        fim_stops=model.fim_stops,
        now=now,
    )


def make_hosting(candidates: dict[str, Candidate], period: Period, *, now: datetime) -> None:
    """Run the first hosted machine day and night, the second by day only."""
    first, second = (model for model in TRIAL if model.usd_per_hour is not None)
    assert first.usd_per_hour is not None
    assert second.usd_per_hour is not None
    start_hosting(
        candidate=candidates[first.slug],
        usd_per_hour=first.usd_per_hour,
        started_at=period.start,
        now=now,
    )
    zone = zone_info()
    midnights = [
        start_of_day(day_of(period.start, zone) + number * DAY, zone)
        for number in range(period.length // DAY + 2)
    ]
    mornings = [at + timedelta(hours=WORK_BEGINS) for at in midnights]
    mornings = [at for at in mornings if at < now]
    for morning in mornings:
        # The last one stays on: live calls come at any hour.
        ends = morning + timedelta(hours=WORK_ENDS - WORK_BEGINS)
        start_hosting(
            candidate=candidates[second.slug],
            usd_per_hour=second.usd_per_hour,
            started_at=morning,
            ended_at=None if morning == mornings[-1] else ends,
            now=now,
        )


def make_limits(pilot: Pilot, candidates: dict[str, Candidate], *, now: datetime) -> None:
    """Limit money as a careful team would: each person hard, the dearest candidate softly."""
    set_limit(
        pilot=pilot,
        scope=LimitScope.PERSON,
        allowance=Allowance(usd=Decimal(25)),
        now=now,
    )
    dearest = max((model for model in TRIAL if model.price), key=lambda model: model.price or ())
    set_limit(
        pilot=pilot,
        scope=LimitScope.CANDIDATE,
        subject=candidates[dearest.slug],
        allowance=Allowance(usd=Decimal(15), is_hard=False),
        now=now,
    )


def make_pilot(
    *,
    slug: str,
    name: str,
    days: tuple[date, date],
    budget_usd: Decimal,
    models: Sequence[SimulatedModel],
    candidates: dict[str, Candidate],
    developers: Sequence[User],
    people_named: bool,
    now: datetime,
    is_draft: bool = False,
) -> tuple[Pilot, list[str]]:
    """Make a pilot with its candidates, people and keys; return it with the plain keys."""
    pilot = create_pilot(
        slug=slug,
        name=name,
        starts_on=days[0],
        ends_on=days[1],
        zone=env.time_zone(),
        budget_usd=budget_usd,
        people_named=people_named,
        is_draft=is_draft,
        now=now,
    )
    for model in models:
        add_trial(pilot=pilot, candidate=candidates[model.slug], alias=model.alias, now=now)
    keys = []
    for user in developers:
        enrollment = enroll(pilot=pilot, person=user.person, now=now)
        keys.append(issue_key(enrollment=enrollment, name="Editor", now=now)[1])
    return pilot, keys
