"""Planning a pilot in a real browser, with every default, to its start; and joining it by a link.

On the whole product: the developer who joined calls the blind name, and a candidate answers.
"""

import re
import subprocess
import sys

import openai
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from pilotdash.demo.cast import SIMULATOR_KEY
from pilotdash.paths import ROOT
from tests.browser.chrome import MARKS, chromium, new_page, sign_in
from tests.product import Product, free_port

pytestmark = MARKS
PASSWORD = "a plan with every default"
MODELS = ("mistralai/Mistral-7B-Instruct-v0.3", "codellama/CodeLlama-34b-Instruct-hf")
STEPS = ("basics", "candidates", "people", "measures", "review")

MAKE = """
from decimal import Decimal
from django.utils import timezone
from apps.accounts.actions import create_user
from apps.accounts.models import User
from apps.catalog.actions import add_provider
from apps.catalog.candidates import register_candidate
from apps.catalog.costs import set_price

url, secret, password, *models = argv
now = timezone.now()
create_user(email="ines@example.com", name="Ines", role="admin", password=password, now=now)
User.objects.update(totp_exempt=True)
provider = add_provider(
    slug="simulated", name="Simulated", base_url=url, credential=secret, now=now
)
for number, model in enumerate(models, start=1):
    each = register_candidate(
        provider=provider, slug=f"model-{number}", name=f"Model {number}", upstream_model=model,
        context_tokens=16_384, now=now,
    )
    one = Decimal(1)
    set_price(
        candidate=each, input_usd_per_mtok=one, cached_usd_per_mtok=one, output_usd_per_mtok=one,
        now=now,
    )
"""


@pytest.fixture(scope="module")
def product():
    port = free_port()
    command = [sys.executable, "-m", "pilotdash.demo.simulator", "--port", str(port)]
    simulator = subprocess.Popen(command, cwd=ROOT)
    try:
        with Product() as running:
            url = f"http://127.0.0.1:{port}/together/v1"
            running.django(MAKE, url, SIMULATOR_KEY, PASSWORD, *MODELS)
            yield running
    finally:
        simulator.terminate()
        simulator.wait(timeout=10)


@pytest.fixture
def browser():
    with chromium() as browser:
        yield browser


def go_on(page: Page, step: str) -> None:
    """Leave a step as it is, by keyboard."""
    page.get_by_role("button", name="Save and go on").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/plan/{step}/$"))


def plan_with_defaults(page: Page, product: Product) -> str:
    """Go through all steps to the review; return the link to join."""
    page.goto(f"{product.url}/setup/create-pilot/")
    page.fill("[name=name]", "Autumn trial")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/plan/candidates/$"))
    expect(page.get_by_label("Model 1 serves chat")).to_be_checked()
    expect(page.get_by_label("Model 2 serves chat")).to_be_checked()
    expect(page.get_by_label("Chat blind")).to_be_checked()
    go_on(page, "people")
    page.get_by_label("Only addresses of").fill("example.com")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#new-link [data-copy-text]").inner_text().strip()
    go_on(page, "measures")
    go_on(page, "review")
    return link


def join(page: Page, link: str) -> None:
    page.goto(link)
    page.fill("[name=email]", "dana@example.com")
    page.fill("[name=name]", "Dana")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.fill("[name=login]", "dana@example.com")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("You take part in Autumn trial.")).to_be_visible()


def call(product: Product, key: str) -> str:
    question = [{"role": "user", "content": "Why is the sky blue?"}]
    with openai.OpenAI(base_url=f"{product.url}/v1", api_key=key, max_retries=3) as client:
        answer = client.chat.completions.create(
            model="pilot-chat", messages=question, max_tokens=20
        )
    return answer.model


def test_from_a_plan_with_defaults_to_a_started_pilot_that_somebody_joined(browser, product):
    admin, developer = new_page(browser), new_page(browser)
    sign_in(admin, product.url, "ines@example.com", PASSWORD)

    link = plan_with_defaults(admin, product)
    chances = admin.get_by_role("row").filter(has_text="The daily question")
    expect(chances).to_contain_text(re.compile(r"\d+%.*\d+%.*\d+%", re.S))
    expect(admin.get_by_text("Estimate", exact=True)).to_be_visible()
    expect(admin.get_by_role("heading", name="Ready to start")).to_be_visible()

    # Before the start, nobody but administrators finds it.
    join(developer, link)
    assert developer.goto(f"{product.url}/pilots/autumn-trial/keys/").status == 404
    developer.complaints.clear()  # the browser's word about the 404

    admin.get_by_role("button", name="Start Autumn trial").click()
    expect(admin.get_by_text("Autumn trial has started.")).to_be_visible()

    developer.goto(f"{product.url}/pilots/autumn-trial/keys/")
    developer.get_by_role("button", name="Make a key").click()
    key = developer.locator(".key-new [data-copy-text]").inner_text().strip()
    assert call(product, key) == "pilot-chat"
    developer.goto(f"{product.url}/pilots/autumn-trial/data-sheet/")
    expect(developer.get_by_text("Leaves to another company")).to_be_visible()
    assert [name in developer.content() for name in ("Model 1", "Model 2", "Simulated")] == [
        False,
        False,
        False,
    ]
    assert [admin.complaints, developer.complaints] == [[], []]


def test_steps_are_accessible_and_fit_a_phone(browser, product):
    page = new_page(browser, viewport={"width": 390, "height": 844}, color_scheme="dark")
    sign_in(page, product.url, "ines@example.com", PASSWORD)
    page.goto(f"{product.url}/setup/create-pilot/")
    page.fill("[name=name]", "Small trial")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/plan/candidates/$"))

    steps = [f"/setup/pilots/small-trial/plan/{step}/" for step in STEPS]
    for path in ("/setup/create-pilot/", *steps, "/pilots/small-trial/data-sheet/"):
        page.goto(product.url + path)
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], path
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], path
    assert page.complaints == []


def test_plan_works_without_javascript(browser, product):
    page = new_page(browser, java_script_enabled=False)
    sign_in(page, product.url, "ines@example.com", PASSWORD)

    page.goto(f"{product.url}/setup/create-pilot/")
    page.fill("[name=name]", "Plain trial")
    for step in STEPS[1:]:
        page.get_by_role("button", name="Save and go on").click()
        page.wait_for_url(re.compile(f"/plan/{step}/$"))
    page.get_by_role("button", name="Start Plain trial").click()

    expect(page.get_by_text("Plain trial has started.")).to_be_visible()
