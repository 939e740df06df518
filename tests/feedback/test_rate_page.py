"""The Rate page in a real browser: by keyboard, without JavaScript, on a phone."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from apps.feedback.models import Rating
from tests.feedback.conftest import make_world

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium"
    ),
]


@pytest.fixture
def world(valkey, transactional_db):
    now = timezone.now().replace(microsecond=0)
    world = make_world(
        starts_on=(now - timedelta(days=14)).date(),
        ends_on=(now + timedelta(days=14)).date(),
    )
    world.key.delete()
    world.calls = [world.call(at=now - timedelta(minutes=minutes)) for minutes in (1, 2, 3)]
    return world


@pytest.fixture
def open_page(world, client, live_server):
    client.force_login(world.user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def open_page(path="", width=1440, height=900, **options):
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            context.add_cookies(
                [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
            )
            page = context.new_page()
            page.complaints = []
            page.on("console", lambda message: page.complaints.append(message.text))
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.goto(f"{live_server.url}/pilots/{world.pilot.slug}/rate/{path}")
            return page

        yield open_page
        browser.close()


def stored(read):
    """Ask the database from a thread of its own: Playwright keeps an event loop in this one."""

    def ask():
        try:
            return read()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def ratings():
    rows = Rating.objects.order_by("call_admitted_at")
    return list(rows.values_list("score", "tags", "comment"))


def say_why(page):
    page.keyboard.press("u")
    expect(page.locator(".rate-btn[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("t")
    expect(page.locator("textarea:visible")).to_have_count(1)


def test_answers_are_rated_by_keyboard_alone(world, open_page):
    page = open_page()
    newest, second = (page.locator(f"#call-{call.id}") for call in world.calls[:2])
    expect(page.locator("#rate-progress")).to_have_text("0 of 3 rated today")

    page.keyboard.press("u")  # before anything is focused the keys are about the first answer
    expect(newest.locator("[aria-pressed=true]")).to_have_attribute("value", "up")
    expect(newest).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("d")
    expect(second.locator("[aria-pressed=true]")).to_have_attribute("value", "down")
    expect(second).to_be_focused()
    page.keyboard.press("t")
    expect(second.locator("[value=wrong]")).to_be_focused()
    page.keyboard.press("Space")
    second.locator("textarea").focus()
    page.keyboard.type("not what I asked")
    page.keyboard.press("Enter")
    expect(second.locator(".rating-said")).to_contain_text("not what I asked")
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(newest).to_be_focused()

    expect(page.locator("#rate-progress")).to_have_text("2 of 3 rated today")
    assert stored(ratings) == [(0, ["wrong"], "not what I asked"), (1, [], "")]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/rate/{world.calls[0].id}/")
    assert page.complaints == []


def test_answers_are_rated_without_javascript(world, open_page):
    page = open_page(java_script_enabled=False)
    row = page.locator(f"#call-{world.calls[0].id}")

    row.get_by_role("button", name="Bad answer").click()
    assert page.url.endswith(f"/rate/#call-{world.calls[0].id}")
    assert row.locator("[aria-pressed=true]").get_attribute("value") == "down"
    row.locator("summary").click()
    row.get_by_label("wrong").check()
    row.get_by_role("button", name="Save").click()
    row.locator("summary").click()
    assert stored(ratings) == [(0, ["wrong"], "")]
    row.get_by_role("button", name="Withdraw the rating").click()

    assert stored(lambda: Rating.objects.filter(withdrawn_at__isnull=False).count()) == 1


@pytest.mark.parametrize("width", [360, 900, 2560])
def test_nothing_scrolls_sideways(world, open_page, width):
    page = open_page(width=width)
    say_why(page)

    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")

    assert widths[0] <= widths[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(world, open_page, scheme):
    page = open_page(color_scheme=scheme)
    say_why(page)

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})

    assert [(each["id"], each["nodes"][0]["html"]) for each in found.response["violations"]] == []
    assert page.complaints == []
