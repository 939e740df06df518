"""What fewer than five people do shows nowhere: pages say the same whatever it is."""

import re

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.core.periods import DAY
from apps.metrics.models import DayLatency, DayUsage
from tests.dashboard.filled import fill
from tests.factories import make_candidate, make_enrollment, make_trial, make_user
from tests.metrics.derived import make_latency, make_usage
from tests.metrics.test_queries_ratings import make_rating

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

HTMX = {"HX-Request": "true"}
PAGES = [
    ("/pilots/team/?days=pilot", {}),
    ("/pilots/team/?days=7", HTMX),
    ("/pilots/team/?days=pilot&task=chat", HTMX),
    ("/pilots/team/?days=pilot&task=edit", HTMX),
    ("/pilots/team/charts/?days=pilot", HTMX),
    ("/pilots/team/leaderboard.csv?days=pilot", {}),
    ("/pilots/team/candidates/?days=pilot", {}),
    ("/pilots/team/candidates/small/?days=pilot", {}),
    ("/pilots/team/candidates/large/?days=pilot", {}),
]


def told(client, path, headers):
    """What a page says, without what differs each time."""
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return re.sub(r'"X-CSRFToken": "\w+"|value="\w{64}"|tip-\w+', "", response.text)


def work(pilot, small, large, *, edits, **sums):
    """Two people's calls with one candidate; with the other, of ten calls so many are edits."""
    DayUsage.objects.filter(candidate_id=small.id).delete()
    DayUsage.objects.filter(candidate_id=large.id, person_id=7).delete()
    DayLatency.objects.filter(candidate_id=small.id).delete()
    today = timezone.now().date()
    for person in (1, 2):
        make_usage(pilot, small, today, person=person, token_usd="0.5", **sums)
    make_latency(pilot, small, today, first=[10 * sums["calls"]], total=[20 * sums["calls"]])
    for task, calls in (("edit", edits), ("chat", 10 - edits)):
        make_usage(pilot, large, today, person=7, task=task, calls=calls, token_usd="0.5")


@pytest.mark.parametrize(("path", "headers"), PAGES)
@pytest.mark.parametrize(
    ("role", "named", "differs"),
    [(Role.VIEWER, True, False), (Role.LEAD, False, False), (Role.LEAD, True, True)],
)
def test_what_few_people_do_is_on_no_page(client, pilot, path, headers, role, named, differs):
    pilot.people_named = named
    pilot.save(update_fields=["people_named"])
    large, small = make_candidate(slug="large"), make_candidate(slug="small")
    fill(pilot, [large])
    make_trial(pilot, small)
    client.force_login(make_user(role))

    # That some calls have no price is told with the sum of money, which is the pilot's.
    work(
        pilot, small, large, edits=9, calls=100, failed=90, rateable=9, rated=7, liked=1, uncosted=3
    )
    first = told(client, path, headers)
    work(pilot, small, large, edits=1, calls=2, rateable=2, prompt_tokens=10**9, uncosted=1)
    second = told(client, path, headers)

    assert (first != second) is differs


@pytest.mark.parametrize("path", ["/pilots/team/", "/pilots/team/candidates/"])
def test_a_candidate_of_few_people_keeps_its_row(client, pilot, lead, path):
    few = make_candidate(name="Rarely called")
    fill(pilot, [make_candidate()], people=5)
    fill(pilot, [few], people=4)

    response = client.get(path)

    assert response.text.count("fewer than five people</td>") == 1
    assert "Rarely called" in response.text
    assert response.context["why_hidden"].title == (
        "Candidates that fewer than five people called show no figures"
    )


def test_who_failed_counts_among_the_callers(client, pilot, lead):
    candidate = make_candidate()
    fill(pilot, [candidate], people=4)
    before = client.get("/pilots/team/").context["page"].rows[0]
    make_usage(pilot, candidate, pilot.starts_on, person=5, calls=1, failed=1)
    after = client.get("/pilots/team/?days=pilot").context["page"].rows[0]

    assert (before.figures.is_hidden, after.figures.usage.calls) == (True, 401)
    # Four have finished a call: so few are not counted out loud.
    assert after.people == "<5"


def test_cells_of_few_people_are_empty_in_the_table(client, pilot, lead):
    fill(pilot, [make_candidate(name="Few")], people=2)

    head, row = client.get("/pilots/team/leaderboard.csv").text.split("\r\n")[:2]

    cells = dict(zip(head.split(","), row.split(","), strict=True))
    assert {name: cell for name, cell in cells.items() if cell} == {
        "candidate": "Few",
        "provider": cells["provider"],
        "active_developers": "<5",
    }


def test_a_page_of_few_people_says_so_and_keeps_prices(client, pilot, lead):
    fill(pilot, [make_candidate(slug="phind")], people=2)

    response = client.get("/pilots/team/candidates/phind/")

    assert "Fewer than five people have called this candidate" in response.text
    assert "Prices and machines" in response.text
    assert (response.text.count('class="tile'), response.context["page"].days) == (0, [])


def test_days_of_few_people_are_left_out_of_trends_and_the_table(client, pilot, lead):
    candidate = make_candidate(slug="phind")
    fill(pilot, [candidate])
    today = timezone.now().date()
    DayUsage.objects.filter(day=today - DAY, person_id__gt=2).delete()
    DayUsage.objects.filter(day=today - 2 * DAY).delete()

    page = client.get("/pilots/team/candidates/phind/").context["page"]
    (listed,) = client.get("/pilots/team/candidates/").context["listed"]

    # The sum of all stands beside them: one whole day goes, too, and it is the first of them.
    hidden = [day.day for day in page.days if day.figures.is_hidden]
    assert hidden == [today - 9 * DAY, today - DAY]
    assert listed.calls_trend == [None, *[60] * 6, 0, None, 60]
    assert page.has_hidden_days


@pytest.mark.parametrize(
    ("named", "raters", "is_read"), [(False, 4, False), (False, 5, True), (True, 1, True)]
)
def test_comments_are_read_where_five_have_rated_or_people_are_named(
    client, pilot, lead, named, raters, is_read
):
    pilot.people_named = named
    pilot.save(update_fields=["people_named"])
    candidate = make_candidate(slug="phind")
    make_trial(pilot, candidate)
    for person in range(1, 7):
        rated = int(person <= raters)
        make_usage(
            pilot, candidate, pilot.starts_on, person=person, calls=3, rateable=3, rated=rated
        )
    make_rating(pilot, candidate, make_user().person, comment="Wrong.", at=timezone.now())

    text = client.get("/pilots/team/candidates/phind/?days=pilot").text

    assert ("Wrong." in text, "Ratings wait for five people" in text) == (is_read, not is_read)


def test_leads_of_a_new_pilot_read_what_figures_wait_for(client, pilot, lead):
    candidate = make_candidate()
    make_trial(pilot, candidate)
    make_enrollment(pilot)

    def why():
        return client.get("/pilots/team/").context["why_hidden"]

    naming = (
        "Figures of fewer would tell what one of them does. A pilot that names people shows them "
        "from the first call on; an administrator chooses that in its set-up, before anyone joins."
    )
    assert why().text == f"Nobody has in this period. {naming}"
    today = timezone.now().date()
    for person in (1, 2):
        make_usage(pilot, candidate, today, person=person, calls=1)
    assert why().title == "Figures appear once five people have called a candidate"
    assert why().text == f"Fewer than five people have so far. {naming}"
    client.force_login(make_user(Role.VIEWER))
    assert why().text == (
        "Fewer than five people have so far. Figures of fewer would tell what one of them does."
    )
    for person in (3, 4, 5):
        make_usage(pilot, candidate, today, person=person, calls=1)
    assert why() is None


def test_what_a_pilot_of_few_costs_is_told_without_its_days(client, pilot, lead):
    fill(pilot, [make_candidate()], people=2)

    response = client.get("/pilots/team/charts/")

    spent = response.context["page"].spent
    assert (spent.total_usd, spent.is_course_hidden) == (20, True)
    assert response.context["spending"] == {"data": [], "layout": {}}
    assert "$20.00 since the pilot began" in response.text
    assert "Only the sum is shown yet" in response.text
    assert "No candidate is rated by five people yet" in response.text


def test_a_reader_who_may_see_more_is_never_answered_with_304(client, pilot, lead):
    tag = client.get("/pilots/team/", headers=HTMX)["ETag"]
    pilot.people_named = True
    pilot.save(update_fields=["people_named"])

    assert client.get("/pilots/team/", headers=HTMX | {"If-None-Match": tag}).status_code == 200
