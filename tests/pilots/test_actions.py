from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.accounts.models import AuditEntry
from apps.catalog.models import CandidateState
from apps.changes.models import RoutesVersion
from apps.core.keys import digest, is_well_formed
from apps.pilots.actions import (
    KEYS_AT_MOST,
    AliasMalformed,
    AliasTaken,
    AlreadyOnTrial,
    CandidateRetired,
    EndsBeforeItStarts,
    NamesWereToStayHidden,
    NotTakingPart,
    PilotClosed,
    SlugTaken,
    TooManyKeys,
    UnknownZone,
    add_trial,
    change_pilot,
    close_pilot,
    create_pilot,
    drop_trial,
    enroll,
    issue_key,
    leave,
    revoke_key,
)
from apps.pilots.models import Enrollment, Key, Pilot, Trial
from tests.factories import (
    NOON,
    make_candidate,
    make_enrollment,
    make_person,
    make_pilot,
    make_trial,
)

pytestmark = pytest.mark.django_db
SETTINGS = {
    "name": "Second",
    "starts_on": date(2026, 11, 2),
    "ends_on": date(2026, 12, 20),
    "zone": "Europe/Berlin",
    "budget_usd": Decimal(900),
    "rating_scale": "stars",
    "people_named": False,
}


def versions():
    return RoutesVersion.objects.values_list("version", flat=True).first() or 0


def audited():
    return list(AuditEntry.objects.order_by("id").values_list("action", "subject", "detail"))


def test_pilot_is_created_with_what_was_said():
    actor = make_person()

    pilot = create_pilot(slug="first", now=NOON, actor=actor, **SETTINGS)

    stored = Pilot.objects.values(*SETTINGS, "slug", "created_at", "closed_at").get(id=pilot.id)
    assert stored == SETTINGS | {"slug": "first", "created_at": NOON, "closed_at": None}
    assert audited() == [
        (
            "pilot created",
            "pilot first",
            {"days": "2026-11-02 to 2026-12-20", "zone": "Europe/Berlin"},
        )
    ]
    assert AuditEntry.objects.get().actor == actor
    assert versions() == 1


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"ends_on": date(2026, 11, 1)}, EndsBeforeItStarts),
        ({"zone": "Europe/Atlantis"}, UnknownZone),
        ({"zone": "../etc/passwd"}, UnknownZone),
        ({"zone": ""}, UnknownZone),
        ({"slug": "taken"}, SlugTaken),
    ],
)
def test_pilot_that_makes_no_sense_is_not_created(fields, problem):
    make_pilot(slug="taken")

    with pytest.raises(problem):
        create_pilot(**{"slug": "first", "now": NOON} | SETTINGS | fields)

    assert (Pilot.objects.count(), versions(), audited()) == (1, 0, [])


def test_pilot_is_changed_and_the_trail_says_from_what_to_what():
    pilot = make_pilot(slug="first", name="First")

    change_pilot(pilot=pilot, now=NOON, **SETTINGS)

    assert Pilot.objects.values(*SETTINGS).get() == SETTINGS
    assert audited() == [
        (
            "pilot changed",
            "pilot first",
            {
                "name": ["First", "Second"],
                "ends_on": ["2026-11-29", "2026-12-20"],
                "zone": ["UTC", "Europe/Berlin"],
                "budget_usd": ["None", "900"],
                "rating_scale": ["thumbs", "stars"],
            },
        )
    ]
    assert versions() == 1


def test_saving_a_pilot_unchanged_publishes_nothing():
    pilot = create_pilot(slug="first", now=NOON, **SETTINGS)

    change_pilot(pilot=pilot, now=NOON, **SETTINGS)

    assert (versions(), len(audited())) == (1, 1)


def test_names_promised_hidden_stay_hidden_once_somebody_has_joined():
    pilot = make_pilot(people_named=False)
    make_enrollment(pilot)

    with pytest.raises(NamesWereToStayHidden):
        change_pilot(pilot=pilot, now=NOON, **SETTINGS | {"people_named": True})

    assert not Pilot.objects.get().people_named


@pytest.mark.parametrize("before", [True, False])
def test_names_may_be_hidden_at_any_time_and_shown_while_nobody_has_joined(before):
    pilot = make_pilot(people_named=before)
    if before:
        make_enrollment(pilot)

    change_pilot(pilot=pilot, now=NOON, **SETTINGS | {"people_named": not before})

    assert Pilot.objects.get().people_named is not before


def test_closed_pilot_changes_no_more():
    pilot = make_pilot(slug="first")
    trial, enrollment = make_trial(pilot), make_enrollment(pilot)
    close_pilot(pilot=pilot, now=NOON)

    for attempt in (
        lambda: close_pilot(pilot=pilot, now=NOON),
        lambda: change_pilot(pilot=pilot, now=NOON, **SETTINGS),
        lambda: enroll(pilot=pilot, person=make_person(), now=NOON),
        lambda: add_trial(pilot=pilot, candidate=make_candidate(), alias="new", now=NOON),
        lambda: issue_key(enrollment=enrollment, now=NOON),
    ):
        with pytest.raises(PilotClosed):
            attempt()

    assert Pilot.objects.get().closed_at == NOON
    assert (list(Trial.objects.all()), list(Enrollment.objects.all())) == ([trial], [enrollment])
    assert audited() == [("pilot closed", "pilot first", {})]


def test_person_is_enrolled_once():
    pilot, person = make_pilot(), make_person()

    first = enroll(pilot=pilot, person=person, now=NOON)
    second = enroll(pilot=pilot, person=person, now=NOON + timedelta(days=1))

    assert first == second
    assert (second.enrolled_at, versions(), len(audited())) == (NOON, 1, 1)


def test_person_who_leaves_loses_the_keys_and_may_come_back_without_them():
    pilot, person = make_pilot(), make_person()
    enrollment = enroll(pilot=pilot, person=person, now=NOON)
    key, _ = issue_key(enrollment=enrollment, now=NOON)
    later = NOON + timedelta(days=1)

    leave(enrollment=enrollment, now=later)
    leave(enrollment=enrollment, now=later + timedelta(days=1))

    enrollment.refresh_from_db()
    assert (enrollment.left_at, Key.objects.get(id=key.id).revoked_at) == (later, later)

    enroll(pilot=pilot, person=person, now=later)

    enrollment.refresh_from_db()
    assert (enrollment.left_at, Key.objects.get(id=key.id).revoked_at) == (None, later)
    assert [action for action, _, _ in audited()] == [
        "person enrolled",
        "key issued",
        "person left",
        "person enrolled",
    ]
    assert versions() == 4


def test_candidate_is_put_on_trial_and_dropped():
    pilot, candidate = make_pilot(slug="first"), make_candidate(slug="qwen")

    trial = add_trial(pilot=pilot, candidate=candidate, alias="qwen-coder", now=NOON)
    drop_trial(trial=trial, now=NOON + timedelta(days=1))
    drop_trial(trial=trial, now=NOON + timedelta(days=2))

    trial.refresh_from_db()
    assert (trial.alias, trial.added_at) == ("qwen-coder", NOON)
    assert trial.dropped_at == NOON + timedelta(days=1)
    detail = {"candidate": "qwen", "alias": "qwen-coder"}
    assert audited() == [
        ("trial added", "pilot first", detail),
        ("trial dropped", "pilot first", detail),
    ]
    assert versions() == 2


@pytest.mark.parametrize(
    "alias",
    [
        "",
        "Upper",
        "with space",
        "-dash-first",
        "o1",  # Continue sends these two to another endpoint
        "gpt-5-mini",
        "a" * 64,
        "trailing\n",
        "slash/in",
    ],
)
def test_alias_that_clients_cannot_send_is_refused(alias):
    with pytest.raises(AliasMalformed):
        add_trial(pilot=make_pilot(), candidate=make_candidate(), alias=alias, now=NOON)


@pytest.mark.parametrize("alias", ["gpt-4o", "oss-120b", "a", "qwen2.5-coder_32b", "9b"])
def test_alias_of_other_forms_is_fine(alias):
    trial = add_trial(pilot=make_pilot(), candidate=make_candidate(), alias=alias, now=NOON)

    assert trial.alias == alias


def test_alias_and_candidate_stand_once_in_a_pilot_and_again_in_another():
    pilot, candidate = make_pilot(), make_candidate()
    add_trial(pilot=pilot, candidate=candidate, alias="chat", now=NOON)

    with pytest.raises(AliasTaken):
        add_trial(pilot=pilot, candidate=make_candidate(), alias="chat", now=NOON)
    with pytest.raises(AlreadyOnTrial):
        add_trial(pilot=pilot, candidate=candidate, alias="other", now=NOON)
    add_trial(pilot=make_pilot(), candidate=candidate, alias="chat", now=NOON)

    assert list(Trial.objects.values_list("alias", flat=True)) == ["chat", "chat"]


def test_retired_candidate_is_not_put_on_trial():
    candidate = make_candidate(state=CandidateState.RETIRED)

    with pytest.raises(CandidateRetired):
        add_trial(pilot=make_pilot(), candidate=candidate, alias="chat", now=NOON)


def test_key_lasts_180_days_and_only_its_digest_is_stored():
    enrollment = make_enrollment(make_pilot(slug="first"))

    key, plain = issue_key(enrollment=enrollment, name="laptop", now=NOON)

    assert is_well_formed(plain)
    assert plain.startswith("pd_")
    key.refresh_from_db()
    assert (key.digest, key.hint) == (digest(plain), f"pd_…{plain[-4:]}")
    assert (key.name, key.kind, key.revoked_at) == ("laptop", "developer", None)
    assert (key.created_at, key.expires_at) == (NOON, NOON + timedelta(days=180))
    assert audited() == [
        ("key issued", "pilot first", {"key": key.hint, "kind": "developer"}),
    ]


def test_reader_key_has_a_prefix_of_its_own():
    _, plain = issue_key(enrollment=make_enrollment(make_pilot()), kind="reader", now=NOON)

    assert plain.startswith("pdr_")


def test_key_is_revoked_once():
    key, _ = issue_key(enrollment=make_enrollment(make_pilot()), now=NOON)

    revoke_key(key=key, now=NOON + timedelta(hours=1))
    revoke_key(key=key, now=NOON + timedelta(hours=2))

    key.refresh_from_db()
    assert key.revoked_at == NOON + timedelta(hours=1)
    assert versions() == 2


def test_who_has_left_gets_no_key():
    enrollment = make_enrollment(make_pilot(), left_at=NOON)

    with pytest.raises(NotTakingPart):
        issue_key(enrollment=enrollment, now=NOON)


def test_keys_in_force_are_limited_and_dead_ones_do_not_count():
    enrollment = make_enrollment(make_pilot())
    keys = [issue_key(enrollment=enrollment, now=NOON)[0] for _ in range(KEYS_AT_MOST)]

    with pytest.raises(TooManyKeys):
        issue_key(enrollment=enrollment, now=NOON)
    revoke_key(key=keys[0], now=NOON)
    issue_key(enrollment=enrollment, now=NOON)

    assert Key.objects.filter(revoked_at__isnull=True).count() == KEYS_AT_MOST
