"""The product's main job in a real browser, on the whole product as `make up` starts it.

An administrator adds a provider and a candidate, a developer joins, connects, calls with the openai
package and rates, and the lead sees it.
"""

import hashlib
import hmac
import os
import re
import struct
import subprocess
import sys
import time
from base64 import b32decode
from pathlib import Path

import openai
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from pilotdash.demo.cast import SIMULATOR_KEY
from pilotdash.paths import ROOT
from tests.product import Product, free_port

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PASSWORD = "a walk through the whole product"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium"
    ),
]


@pytest.fixture(scope="module")
def provider():
    """The simulated providers, as a process of their own; gives the address of one."""
    port = free_port()
    command = [sys.executable, "-m", "pilotdash.demo.simulator", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    yield f"http://127.0.0.1:{port}/together/v1"
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture(scope="module")
def product():
    with Product() as running:
        yield running


@pytest.fixture
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def code_of(secret: str) -> str:
    """The six digits that an authenticator app would show now (RFC 6238)."""
    key = b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return f"{(struct.unpack_from('>I', mac, offset)[0] & 0x7FFFFFFF) % 10**6:06d}"


def new_page(browser) -> Page:
    """A page of somebody new, who reports what the browser complains about."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.complaints = []  # type: ignore[attr-defined]
    page.on(
        "console",
        lambda message: (
            page.complaints.append(message.text)  # type: ignore[attr-defined]
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
    return page


def join(page: Page, link: str, name: str, email: str = "") -> None:
    page.goto(link)
    if email:
        page.fill("[name=email]", email)
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.get_by_role("button", name="Join").click()


def make_administrator(page: Page, product: Product) -> None:
    link = next(line for line in product.printed if "/join/" in line)
    join(page, link[link.index("http") :], "Ines", "ines@example.com")
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()
    secret = page.locator("[data-copy-text]").inner_text().strip().replace(" ", "")
    page.fill("[name=code]", code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    page.wait_for_url(lambda url: "totp" not in url)


def add_provider_and_candidate(page: Page, product: Product, address: str) -> None:
    page.goto(f"{product.url}/setup/add-provider/")
    page.fill("[name=name]", "Simulated")
    page.fill("[name=slug]", "simulated")
    page.fill("[name=base_url]", address)
    page.fill("[name=credential]", SIMULATOR_KEY)
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name=re.compile("Test it now|Test again")).click()
    expect(page.locator(".probe li.is-good")).to_have_count(5, timeout=30_000)
    model = "mistralai/Mistral-7B-Instruct-v0.3"
    page.get_by_role("link", name=f"Register {model}").click()
    page.fill("[name=name]", "Mistral 7B")
    page.fill("[name=slug]", "mistral-7b")
    page.get_by_label("By the token").check()
    page.fill("[name=input_usd]", "0.20")
    page.fill("[name=cached_usd]", "0.10")
    page.fill("[name=output_usd]", "0.20")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Mistral 7B")).to_be_visible()


def start_pilot(page: Page, product: Product) -> dict[str, str]:
    """Plan a pilot in five steps, invite, start it; return the links by e-mail."""
    page.goto(f"{product.url}/setup/create-pilot/")
    page.fill("[name=name]", "Spring trial")
    page.fill("[name=slug]", "spring")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_label("Mistral 7B serves chat")).to_be_checked()
    page.get_by_role("button", name="Save and go on").click()
    # One developer is a group too small for figures of a pilot that names nobody; and it is said
    # before anybody takes part.
    page.check("[name=people_named]")
    page.get_by_role("button", name="Save", exact=True).click()
    page.fill("[name=emails]", "dana@example.com")
    page.get_by_role("button", name="Invite").click()
    developer = page.locator("#invited [data-copy-text]").inner_text()
    page.get_by_role("link", name="Review and start").click()
    page.get_by_role("button", name="Start Spring trial").click()
    page.get_by_role("link", name="Candidates and people").click()
    expect(page.locator("#trials td.mono")).to_have_text("mistral-7b")
    page.goto(f"{product.url}/setup/people/")
    page.fill("[name=emails]", "lena@example.com")
    page.select_option("form:has([name=emails]) [name=role]", "lead")
    page.get_by_role("button", name="Invite").click()
    return {"developer": developer, "lead": page.locator("[data-copy-text]").inner_text()}


def call_with_openai(product: Product, key: str) -> str:
    """Make a plain and a streamed call, as a developer's tool does; return the last one's id."""
    question = [{"role": "user", "content": "Why is the sky blue?"}]
    with openai.OpenAI(base_url=f"{product.url}/v1", api_key=key, max_retries=3) as client:
        plain = client.chat.completions.create(model="mistral-7b", messages=question, max_tokens=20)
        stream = client.chat.completions.create(
            model="mistral-7b", messages=question, max_tokens=20, stream=True
        )
        events = list(stream)
    assert plain.model == "mistral-7b"
    assert plain.usage
    assert plain.usage.completion_tokens == 20
    assert {event.id for event in events} == {events[0].id}
    return events[0].id


def test_from_set_up_to_the_leads_overview(browser, product, provider):
    admin, developer, lead = (new_page(browser) for _ in range(3))

    make_administrator(admin, product)
    add_provider_and_candidate(admin, product, provider)
    links = start_pilot(admin, product)
    join(developer, links["developer"], "Dana")
    developer.goto(f"{product.url}/pilots/spring/keys/")
    developer.get_by_role("button", name="Make a key").click()
    key = developer.locator(".key-new [data-copy-text]").inner_text().strip()
    developer.goto(f"{product.url}/pilots/spring/connect/")
    expect(developer.get_by_text("Waiting for your first call")).to_be_visible()
    call_with_openai(product, key)

    # The page turns green by itself, once the call has come the whole way.
    expect(developer.get_by_text("Connected.")).to_be_visible(timeout=10_000)
    # Of the two calls the second may still be on its way: the list is that of its opening.
    for _ in range(20):
        developer.goto(f"{product.url}/pilots/spring/rate/")
        if developer.locator(".rate-up").count() == 2:
            break
        developer.wait_for_timeout(500)
    expect(developer.locator(".rate-up")).to_have_count(2)
    developer.keyboard.press("j")
    developer.keyboard.press("u")
    expect(developer.locator(".rate-up[aria-pressed=true]")).to_have_count(1)

    join(lead, links["lead"], "Lena")
    lead.goto(f"{product.url}/pilots/spring/")
    row = lead.get_by_role("row").filter(has_text="Mistral 7B")
    expect(row).to_contain_text("100%", timeout=15_000)
    expect(row).to_contain_text("50% of 2")

    assert [page.complaints for page in (admin, developer, lead)] == [[], [], []]  # type: ignore[attr-defined]
