"""The components in a real browser, under a policy as strict as the product's."""

import os
from pathlib import Path
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.staticfiles import finders
from playwright.sync_api import sync_playwright

from tests.core import gallery

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium"
    ),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def site(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/":
        headers = [("Content-Type", "text/html"), ("Content-Security-Policy", POLICY)]
        start_response("200 OK", headers)
        return [gallery.render().encode()]
    found = finders.find(path.removeprefix("/static/"))
    if not found:
        start_response("404 Not Found", [])
        return [b""]
    start_response("200 OK", [("Content-Type", TYPES[Path(found).suffix])])
    return [Path(found).read_bytes()]


@pytest.fixture(scope="module")
def address():
    server = make_server("127.0.0.1", 0, site, handler_class=Quiet)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, address):
    contexts = []

    def _open(width=1440, **options):
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(address)
        return page

    yield _open
    for context in contexts:
        context.close()


def wait_for_charts(page):
    page.wait_for_function(
        "document.querySelectorAll('figure[data-state=drawn]').length"
        " === document.querySelectorAll('figure[data-chart]').length"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_breaks_the_policy_or_shuts_anybody_out(open_page, scheme, width):
    page = open_page(width, color_scheme=scheme)
    wait_for_charts(page)

    results = Axe().run(page, options={"runOnly": WCAG})

    found = [(each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]]
    assert (found, page.complaints) == ([], [])


def test_nothing_scrolls_sideways(open_page):
    page = open_page()
    wait_for_charts(page)
    widths = [2560, 1440, 901, 900, 768, 390, 360]

    taken = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)  # charts follow their box after a moment
        taken.append(page.evaluate("document.documentElement.scrollWidth"))

    assert taken == widths


def test_a_chosen_theme_stays_and_redraws_the_charts(open_page):
    page = open_page(color_scheme="light")
    wait_for_charts(page)
    label = page.locator("figure .xtick text").first
    before = label.evaluate("node => getComputedStyle(node).fill")

    page.click(".account > summary")
    page.click("[data-theme-choice=dark]")
    page.wait_for_function(
        "before => getComputedStyle(document.querySelector('figure .xtick text')).fill !== before",
        arg=before,
    )
    page.reload(wait_until="domcontentloaded")

    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_definition_shows_on_focus_and_leaves_on_escape(open_page):
    page = open_page()
    tip = page.locator("thead .tip").first

    page.locator("thead .term-word").first.focus()
    assert tip.is_visible()

    page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_a_menu_closes_on_escape_and_gives_the_focus_back(open_page):
    page = open_page()

    page.click(".pilot-menu > summary")
    page.keyboard.press("Escape")

    assert page.locator(".pilot-menu[open]").count() == 0
    assert page.evaluate("document.activeElement.parentElement.className") == "menu pilot-menu"


def test_without_scripts_the_charts_data_is_there_to_read(open_page):
    page = open_page(java_script_enabled=False)

    assert page.locator("figure.chart table").first.is_visible()
    assert not page.locator("[data-copy-button]").first.is_visible()
