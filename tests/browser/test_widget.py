"""The widget in pages of other origins: one that the pilot allows, and one that it does not."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.chrome import MARKS, chromium, new_page
from tests.browser.raters import make_rater, stored_ratings
from tests.product import Product

pytestmark = MARKS

# The page's own policy is as strict as one may be: it names us for scripts and frames alone.
POLICY = "default-src 'none'; script-src {home} 'nonce-page'; frame-src {home}; connect-src 'self'"
PAGE = """<!doctype html><html lang="en"><title>An internal tool</title><h1>An internal tool</h1>
<script nonce="page">
  window.told = [];
  addEventListener("message", (event) => told.push([event.origin, event.data]));
  addEventListener("pilotdash:rated", (event) => {{
    document.querySelector("h1").textContent = `Rated ${{event.detail.rating}}`;
  }});
</script>
<div id="place"></div>
<script src="{home}/widget.js" data-token="{token}"></script>
"""


class Tool:
    """An internal tool of some other origin, that shows what it is given."""

    def __init__(self) -> None:
        pages = self.pages = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                policy, body = pages.get(self.path, ("", ""))
                self.send_response(200 if body else 404)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-security-policy", policy)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, path: str, *, home: str, token: str, page: str = PAGE) -> str:
        self.pages[path] = (POLICY.format(home=home), page.format(home=home, token=token))
        return self.url + path

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def tools():
    allowed, refused = Tool(), Tool()
    yield allowed, refused
    allowed.close()
    refused.close()


@pytest.fixture(scope="module")
def product():
    with Product() as running:
        yield running


@pytest.fixture(scope="module")
def rater(product, tools):
    return make_rater(product, origins=[tools[0].url])


def test_a_page_of_an_allowed_origin_shows_the_widget_and_hears_of_the_rating(
    product, rater, tools
):
    url = tools[0].show("/", home=product.url, token=rater["tokens"][0])
    with chromium() as browser:
        page = new_page(browser)
        page.goto(url)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("button", name="Good answer")).to_be_visible()
        expect(page.locator("iframe")).to_be_visible()
        assert page.locator("iframe").bounding_box()["height"] > 40

        frame.get_by_role("button", name="Good answer").click()
        expect(page.locator("h1")).to_have_text("Rated up")
        low = page.locator("iframe").bounding_box()["height"]
        frame.get_by_text("Say why").click()
        frame.get_by_label("clear").check()
        frame.get_by_label("Comment").fill("helped at once")
        # It grows with what it holds: nothing scrolls in it.
        page.wait_for_function(
            "least => document.querySelector('iframe').clientHeight > least", arg=low + 40
        )
        frame.get_by_role("button", name="Save").click()
        expect(frame.locator(".rating-said")).to_contain_text("helped at once")

        told = page.evaluate("told")
        assert {origin for origin, _ in told} == {product.url}
        assert {data["type"] for _, data in told} == {"pilotdash:resized", "pilotdash:rated"}
        assert [data for _, data in told if data["type"] == "pilotdash:rated"] == [
            {"type": "pilotdash:rated", "call": rater["calls"][0], "rating": "up"}
        ]
        assert page.context.cookies() == []
        assert page.complaints == []
    assert stored_ratings(product) == [[1, ["clear"], "helped at once", "widget", False]]


def test_a_page_of_another_origin_shows_nothing_and_hears_nothing(product, rater, tools):
    url = tools[1].show("/", home=product.url, token=rater["tokens"][1])
    before = stored_ratings(product)
    with chromium() as browser:
        page = new_page(browser)
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            page.goto(url)
        page.wait_for_load_state()

        frame = page.locator("iframe")
        expect(frame).to_be_hidden()
        assert page.evaluate("document.querySelector('iframe').clientHeight") == 0
        (inner,) = (each for each in page.frames if each != page.main_frame)
        assert "How was this answer" not in inner.content()
        assert page.evaluate("told") == []
    assert stored_ratings(product) == before


def test_the_frame_answers_nobody_but_the_page_around_it(product, rater, tools):
    """A message of the right shape from elsewhere, or of a wrong shape from here, says nothing."""
    home, token = product.url, rater["tokens"][1]
    bare = """<!doctype html><title>bare</title><script nonce="page">
      window.told = [];
      addEventListener("message", (event) => told.push(event.data));
    </script><iframe src="{home}/widget/{token}/"></iframe>"""
    url = tools[0].show("/bare", home=home, token=token, page=bare)
    with chromium() as browser:
        page = new_page(browser)
        page.goto(url)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("button", name="Good answer")).to_be_visible()

        # From within: the frame's own window is not the page around it.
        inner = next(each for each in page.frames if each != page.main_frame)
        inner.evaluate("postMessage({ type: 'pilotdash:hello' }, '*')")
        for message in ("hello", None, 1, {"type": "hello"}, {"type": ["pilotdash:hello"]}):
            page.evaluate("said => frames[0].postMessage(said, '*')", message)
        page.wait_for_timeout(200)
        assert page.evaluate("told") == []

        page.evaluate("frames[0].postMessage({ type: 'pilotdash:hello' }, '*')")
        page.wait_for_function("() => told.length > 0")
        assert [message["type"] for message in page.evaluate("told")] == ["pilotdash:resized"]
        assert page.complaints == []


def test_a_page_believes_no_message_but_the_frames(product, rater, tools):
    url = tools[0].show("/forged", home=product.url, token=rater["tokens"][1])
    with chromium() as browser:
        page = new_page(browser)
        page.goto(url)
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("button", name="Good answer")).to_be_visible()
        expect(page.locator("iframe")).to_be_visible()
        height = page.locator("iframe").bounding_box()["height"]
        forged = {"call": "x", "height": 1999}
        page.evaluate("said => postMessage({ type: 'pilotdash:resized', ...said }, '*')", forged)
        page.evaluate("postMessage({ type: 'pilotdash:rated', call: 'x', rating: 'up' }, '*')")
        inner = next(each for each in page.frames if each != page.main_frame)
        for wrong in ({"height": 1e9}, {"height": -1}, {"height": "90"}, {}):
            said = {"type": "pilotdash:resized", "call": "x"} | wrong
            inner.evaluate("said => parent.postMessage(said, '*')", said)
        page.wait_for_timeout(200)

        assert page.locator("iframe").bounding_box()["height"] == height
        assert page.locator("h1").inner_text() == "An internal tool"


def test_the_widget_works_by_keyboard_and_is_placed_by_a_call(product, rater, tools):
    placed = """<!doctype html><title>placed</title><div id="place"></div>
    <script src="{home}/widget.js"></script>
    <script nonce="page">
      PilotDash.rate({{ token: "{token}", element: document.getElementById("place"),
                       theme: "dark", onRated: (said) => {{ window.said = said; }} }});
    </script>"""
    url = tools[0].show("/placed", home=product.url, token=rater["tokens"][2], page=placed)
    with chromium() as browser:
        page = new_page(browser)
        page.goto(url)
        frame = page.frame_locator("#place > iframe")
        expect(frame.locator("html")).to_have_attribute("data-theme", "dark")

        page.keyboard.press("Tab")
        page.keyboard.press("d")
        page.wait_for_function("() => window.said")

        assert page.evaluate("said") == {"call": rater["calls"][2], "rating": "down"}
        assert page.complaints == []
