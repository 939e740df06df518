"""The daily question in a real browser: by keyboard, without JavaScript, by a link, and no more."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from apps.core.rotation import working_day
from apps.feedback.asked_links import answer_token, stop_token
from apps.feedback.daily import answer, ask
from apps.feedback.models import AskPreference, DailyQuestion
from apps.feedback.samples import pick
from tests.feedback.conftest import make_world

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# The machine may be busy with other tests.
expect.set_options(timeout=30_000)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium"
    ),
]


@pytest.fixture
def world(valkey, transactional_db):
    """Somebody who used the assistant yesterday and just now, with one answer picked by chance."""
    now = timezone.now().replace(microsecond=0)
    world = make_world(
        starts_on=(now - timedelta(days=14)).date(), ends_on=(now + timedelta(days=14)).date()
    )
    world.now = now
    world.pilot.sample_share = Decimal(1)
    world.pilot.save(update_fields=["sample_share"])
    before = now - timedelta(days=4)
    world.call(at=before)
    asked = ask(pilot=world.pilot, person=world.person, now=before)
    answer(question=asked, pilot=world.pilot, score=3, reason="slow", via="page", now=before)
    world.newest = world.call(at=now - timedelta(minutes=1))
    pick(pilot=world.pilot, now=now)
    world.today = working_day(now, world.pilot.zone_info)
    return world


@pytest.fixture
def open_page(world, client, live_server):
    client.force_login(world.user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def open_page(path, width=1440, height=900, signed_in=True, **options):
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            if signed_in:
                context.add_cookies(
                    [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
                )
            page = context.new_page()
            page.complaints = []
            page.on("console", lambda message: page.complaints.append(message.text))
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            page.goto(live_server.url + path)
            return page

        yield open_page
        browser.close()


@pytest.fixture
def today(world):
    return f"/pilots/{world.pilot.slug}/today/"


def stored(read):
    """Ask the database from a thread of its own: Playwright keeps an event loop in this one."""

    def ask():
        try:
            return read()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


def said(world):
    row = DailyQuestion.objects.filter(day=world.today)
    return stored(lambda: list(row.values_list("score", "reason", "skipped_at", "via")))


def question_link(world):
    def make():
        asked = ask(pilot=world.pilot, person=world.person, now=world.now)
        return f"/asked/{answer_token(asked, now=timezone.now())}/"

    return stored(make)


def test_the_question_is_answered_by_keyboard_alone(world, open_page, today):
    page = open_page(today)
    card, sample = page.locator(".day-card"), page.locator(f"#call-{world.newest.id}")
    expect(card.locator("h2")).to_have_text("How was the assistant today?")
    assert said(world) == []  # opening the page asks nobody

    page.keyboard.press("4")
    expect(card.locator("[aria-pressed=true]")).to_have_attribute("value", "4")
    expect(card.get_by_role("status")).to_contain_text("You said 4 of 5.")
    page.keyboard.press("r")
    expect(card.locator("textarea")).to_be_focused()
    page.keyboard.type("quick and 1 time right")
    page.keyboard.press("Enter")
    expect(card.locator("textarea")).to_have_value("quick and 1 time right")
    # A press on what has not settled yet sends the form as without JavaScript: it counts, too.
    expect(page.locator(".htmx-request, .htmx-settling")).to_have_count(0)
    page.keyboard.press("2")
    expect(card.locator("[aria-pressed=true]")).to_have_attribute("value", "2")
    expect(card).to_be_focused()
    page.keyboard.press("j")
    expect(sample).to_be_focused()
    page.keyboard.press("u")  # the keys are about the sampled answer now
    expect(sample.locator("[aria-pressed=true]")).to_have_attribute("value", "up")

    assert said(world) == [(2, "quick and 1 time right", None, "page")]
    assert page.complaints == []


def test_of_two_quick_presses_the_last_one_counts(world, open_page, today):
    page = open_page(today)
    card = page.locator(".day-card")
    held = []
    page.route("**/today/answer/", lambda route: held.append(route), times=1)

    page.keyboard.press("4")
    expect(card.locator("form.htmx-request")).to_have_count(1)
    page.keyboard.press("2")
    held.pop().continue_()

    expect(card.get_by_role("status")).to_contain_text("You said 2 of 5.")
    assert said(world) == [(2, "", None, "page")]
    assert page.complaints == []


def test_a_day_is_skipped_by_a_key(world, open_page, today):
    page = open_page(today)

    page.keyboard.press("s")
    expect(page.locator(".day-card").get_by_role("status")).to_contain_text("Skipped")

    [(score, _, skipped_at, _)] = said(world)
    assert score is None
    assert isinstance(skipped_at, datetime)


def test_everything_works_without_javascript(world, open_page, today):
    page = open_page(today, java_script_enabled=False)
    card = page.locator(".day-card")

    card.locator("textarea").fill("right away")
    card.get_by_role("button", name="4 of 5").click()
    assert page.url.endswith(f"{today}#day-{world.today}")
    assert said(world) == [(4, "right away", None, "page")]
    card.get_by_role("button", name="Withdraw the answer").click()
    assert said(world) == [(None, "", None, "page")]
    page.locator(".day-before summary").click()
    page.locator(".day-before").get_by_role("button", name="5 of 5").click()

    earlier = DailyQuestion.objects.exclude(day=world.today)
    assert stored(lambda: list(earlier.values_list("score", "reason"))) == [(5, "slow")]


def test_a_link_answers_without_signing_in(world, open_page):
    page = open_page(question_link(world), signed_in=False, width=390, height=844)
    assert said(world) == [(None, "", None, "")]

    page.keyboard.press("5")
    expect(page.get_by_role("status")).to_contain_text("You said 5 of 5.")

    assert said(world) == [(5, "", None, "link")]
    assert page.context.cookies() == []
    assert page.complaints == []


def test_asking_ends_by_one_press(world, open_page):
    token = stored(lambda: stop_token(world.enrollment))
    page = open_page(f"/asked/{token}/stop/", signed_in=False)
    assert stored(AskPreference.objects.count) == 0

    page.get_by_role("button", name="Ask me no more").click()
    expect(page.get_by_role("heading")).to_have_text("You are asked no more")

    assert stored(lambda: AskPreference.objects.get().channel) == "off"


def test_the_way_of_being_asked_is_chosen_by_keyboard(world, open_page):
    page = open_page(f"/pilots/{world.pilot.slug}/asking/")

    page.get_by_label("On the page alone").focus()
    page.keyboard.press("ArrowUp")  # around to the last one
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()

    assert stored(lambda: AskPreference.objects.get().channel) == "shell"


@pytest.mark.parametrize("width", [360, 900, 2560])
def test_nothing_scrolls_sideways(world, open_page, today, width):
    link = question_link(world)
    for path in (today, f"/pilots/{world.pilot.slug}/asking/", link):
        page = open_page(path, width=width)

        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")

        assert widths[0] <= widths[1], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(world, open_page, today, scheme):
    link = question_link(world)
    for path in (today, f"/pilots/{world.pilot.slug}/asking/", link):
        page = open_page(path, color_scheme=scheme)

        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})

        violations = found.response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations] == [], path
        assert page.complaints == []
