"""Blind comparison in a real browser, on the whole product: both candidates really answer.

A developer asks, waits, votes by keyboard, several times in a row; no page tells who answered.
"""

import re
import subprocess
import sys
import time

import pytest
from playwright.sync_api import Page, expect

from pilotdash.demo.cast import MODELS, SIMULATOR_KEY
from pilotdash.paths import ROOT
from tests.browser.chrome import MARKS, chromium, new_page, sign_in
from tests.product import Product, free_port

# One product for all of them.
pytestmark = [*MARKS, pytest.mark.xdist_group("blind comparison")]
PASSWORD = "a blind comparison of two"
MISTRAL, CODELLAMA = "mistralai/Mistral-7B-Instruct-v0.3", "codellama/CodeLlama-34b-Instruct-hf"
ADDRESS = "/pilots/spring/blind/"

MAKE = """
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from apps.accounts.actions import create_user
from apps.catalog.actions import add_provider
from apps.catalog.candidates import register_candidate
from apps.catalog.costs import set_price
from apps.pilots.actions import create_pilot, enroll
from apps.pilots.models import Pilot, Stage
from apps.pilots.rotations import start_rotation
from apps.pilots.trials import add_trial

url, secret, password, *models = argv
now = timezone.now()
days = {"starts_on": (now - timedelta(days=3)).date(), "ends_on": (now + timedelta(days=9)).date()}
provider = add_provider(
    slug="simulated", name="Simulated", base_url=url, credential=secret, now=now
)
user = create_user(
    email="dana@example.com", name="Dana", role="developer", password=password, now=now
)
ids = []
for number, model in enumerate(models):
    each = register_candidate(
        provider=provider, slug=f"hidden-{number}", name=f"Hidden {number}", upstream_model=model,
        context_tokens=16_384, now=now,
    )
    one = Decimal(1)
    set_price(
        candidate=each, input_usd_per_mtok=one, cached_usd_per_mtok=one, output_usd_per_mtok=one,
        now=now,
    )
    ids.append(each.id)
for slug in ("spring", "screening"):
    pilot = create_pilot(slug=slug, name=slug.title(), now=now, **days)
    for number, each in enumerate(ids):
        from apps.catalog.models import Candidate
        candidate = Candidate.objects.get(id=each)
        add_trial(pilot=pilot, candidate=candidate, alias=f"alias-{number}", now=now)
    enroll(pilot=pilot, person=user.person, now=now)
Pilot.objects.filter(slug="screening").update(stage=Stage.SCREENING)
spring = Pilot.objects.get(slug="spring")
start_rotation(pilot=spring, role="chat", candidate_ids=ids, now=now)
"""
READ = """
from apps.feedback.comparison_queries import votes_of
from apps.feedback.models import ComparedAnswer
from apps.pilots.models import Pilot
from apps.usage.models import Call
pilot = Pilot.objects.get(slug="spring")
calls = Call.objects.filter(pilot_id=pilot.id)
answered = ComparedAnswer.objects.filter(comparison__pilot_id=pilot.id)
result = {
    "votes": [each.outcome for each in votes_of(pilot, "chat")],
    "pairs": [sorted((e.left_candidate_id, e.right_candidate_id)) for e in votes_of(pilot, "chat")],
    "answered": sorted(str(each) for each in answered.values_list("call_id", flat=True) if each),
    "stored": sorted(str(each) for each in calls.values_list("id", flat=True)),
    "kinds": sorted(set(calls.values_list("source", "alias", "task"))),
    "costed": calls.filter(cost_usd__gt=0).count(),
}
"""


@pytest.fixture(scope="module")
def product():
    port = free_port()
    command = [sys.executable, "-m", "pilotdash.demo.simulator", "--port", str(port)]
    simulator = subprocess.Popen(command, cwd=ROOT)
    try:
        with Product() as running:
            url = f"http://127.0.0.1:{port}/together/v1"
            running.django(MAKE, url, SIMULATOR_KEY, PASSWORD, MISTRAL, CODELLAMA)
            # The routes have changed: the gateway looks twice a second.
            time.sleep(1)
            yield running
    finally:
        simulator.terminate()
        simulator.wait(timeout=10)


@pytest.fixture
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def dana(browser, product):
    page = new_page(browser)
    sign_in(page, product.url, "dana@example.com", PASSWORD)
    yield page
    assert page.complaints == []  # type: ignore[attr-defined]


def compare(page: Page, prompt: str) -> None:
    """Ask by keyboard and wait for both answers. The simulator fails now and then, as it should."""
    expect(page.locator("textarea[name=prompt]")).to_be_focused()
    page.keyboard.insert_text(prompt)
    page.keyboard.press("Control+Enter")
    for _ in range(5):
        shown = page.locator(".side, .alert.is-warn").first
        expect(shown).to_be_visible(timeout=30_000)
        if page.locator(".side").count():
            break
        page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".side .answer")).to_have_count(2)


def test_several_in_a_row_are_compared_by_keyboard_and_nothing_tells_who_answered(product, dana):
    seen: list[str] = []
    dana.on("response", lambda response: seen.append(_told(response)))
    dana.goto(f"{product.url}{ADDRESS}")

    for number, key in enumerate(("ArrowLeft", "ArrowRight", "t", "n")):
        compare(dana, f"Number {number}: write a function\nthat pages through a list.")
        assert all(dana.locator(".side .answer").all_inner_texts())
        dana.keyboard.press(key)
        dana.wait_for_url(f"{product.url}{ADDRESS}")
        expect(dana.get_by_text("Your vote counts. Next prompt?")).to_be_visible()

    rows = dana.locator("table.data tbody tr td:last-child")
    expect(rows.filter(has_not_text="did not work")).to_have_text(
        ["Both are bad", "A tie", "B is better", "A is better"]
    )
    # Change one's mind about the last: open it, and another button.
    dana.locator("table.data tbody a").first.click()
    expect(dana.get_by_role("button", name="Both bad")).to_have_attribute("aria-pressed", "true")
    dana.keyboard.press("ArrowRight")
    dana.wait_for_url(f"{product.url}{ADDRESS}")
    expect(rows.first).to_have_text("B is better")

    stored = _stored(product)
    assert stored["votes"] == ["left", "right", "tie", "right"]
    assert len({tuple(pair) for pair in stored["pairs"]}) == 1
    assert stored["answered"] == stored["stored"]
    assert stored["kinds"] == [["compare", "compare", "chat"]]
    assert stored["costed"] >= 8
    told = "\n".join(seen)
    assert "Number 3" in told
    for model in MODELS.values():
        assert model.upstream_model not in told
    assert not re.search(r"Hidden \d|hidden-\d|x-pilotdash-candidate", told)


def test_it_works_without_javascript(product, browser):
    page = new_page(browser, java_script_enabled=False)
    sign_in(page, product.url, "dana@example.com", PASSWORD)
    page.goto(f"{product.url}{ADDRESS}")
    page.fill("[name=prompt]", "Without any script")
    page.get_by_role("button", name="Ask both").click()

    for _ in range(60):
        if page.get_by_role("button", name="A is better").count():
            break
        if page.get_by_role("button", name="Ask again").count():
            page.get_by_role("button", name="Ask again").click()
        time.sleep(0.5)
        page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Tie").click()

    expect(page.get_by_text("Your vote counts. Next prompt?")).to_be_visible()


def test_in_the_screening_names_times_and_costs_stand_beside_answers(product, dana):
    dana.goto(f"{product.url}/pilots/screening/side-by-side/")
    expect(dana.locator("textarea[name=prompt]")).to_be_focused()
    dana.keyboard.insert_text("Which index does this query need?")
    dana.keyboard.press("Control+Enter")

    expect(dana.locator(".side")).to_have_count(2, timeout=30_000)
    for number in (0, 1):
        expect(dana.locator(".side").nth(number)).to_contain_text(f"Hidden {number}")
    if dana.locator(".side .answer").count() == 2:
        dana.keyboard.press("2")
    else:
        dana.keyboard.press("n")
    dana.wait_for_url(f"{product.url}/pilots/screening/side-by-side/")

    sums = dana.locator("table", has_text="Mean cost").get_by_role("row")
    expect(sums.filter(has_text="Hidden 1")).to_contain_text("of 1")


def _told(response) -> str:
    """All that one answer of the product tells: its address, headers and body."""
    kind = response.headers.get("content-type", "")
    body = response.text() if response.ok and kind.startswith("text/html") else ""
    return "\n".join((response.url, str(response.headers), body))


def _stored(product: Product) -> dict:
    """What is in the database, once the calls have been drained into it."""
    for _ in range(50):
        found = product.django(READ)
        if found["answered"] == found["stored"]:
            break
        time.sleep(0.2)
    return found
