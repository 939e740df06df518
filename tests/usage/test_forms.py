import pytest

from apps.usage.forms import CallFilterForm
from apps.usage.queries import CallFilter
from tests.factories import NOON, make_candidate, make_person, make_trial


def narrowed(scene, params, *, with_people=True, person_id=None):
    form = CallFilterForm(params, pilot=scene.pilot, with_people=with_people, with_arms=True)
    return form.narrowed(scene.pilot.period, person_id=person_id), form.is_narrowing


def test_each_field_narrows(named):
    person = named.developer.person
    params = {
        "candidate": named.candidate.slug,
        "task": "edit",
        "outcome": "failed",
        "only": "estimated",
        "person": person.pseudonym,
    }

    assert narrowed(named, params) == (
        CallFilter(
            named.pilot.period, named.candidate.id, person.id, "edit", "failed", "estimated"
        ),
        True,
    )


@pytest.mark.parametrize("name", ["candidate", "task", "outcome", "only", "person"])
def test_a_wish_that_makes_no_sense_narrows_nothing(named, name):
    assert narrowed(named, {name: "nonsense"}) == (CallFilter(named.pilot.period), False)


def test_whoever_sees_their_own_calls_alone_cannot_ask_for_others(named):
    other = named.colleague().person

    asked, _ = narrowed(named, {"person": other.pseudonym}, with_people=False, person_id=7)

    assert asked == CallFilter(named.pilot.period, person_id=7)


def test_what_was_on_trial_before_is_offered_and_nothing_else(named):
    dropped = make_trial(named.pilot, dropped_at=NOON).candidate
    make_candidate()

    form = CallFilterForm({}, pilot=named.pilot, with_people=True, with_arms=True)

    assert form.fields["candidate"].choices == [
        ("", "Any candidate"),
        (named.candidate.slug, named.candidate.name),
        (dropped.slug, dropped.name),
    ]


def test_people_of_the_pilot_are_offered_by_name(named):
    zoe = named.colleague(name="zoe").person
    bea = named.colleague(name="Bea").person
    make_person()

    form = CallFilterForm({}, pilot=named.pilot, with_people=True, with_arms=True)

    assert form.fields["person"].choices == [
        ("", "Anyone"),
        (named.developer.person.pseudonym, "Ada Moreno"),
        (bea.pseudonym, "Bea"),
        (zoe.pseudonym, "zoe"),
    ]
