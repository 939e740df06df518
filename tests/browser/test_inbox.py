"""The inbox by keyboard alone, on the whole product: sign in, rate, say why, undo, look at it."""

import pytest
from playwright.sync_api import expect

from tests.browser.chrome import MARKS, chromium, new_page, sign_in
from tests.browser.raters import make_rater, stored_ratings
from tests.product import Product

pytestmark = MARKS


@pytest.fixture(scope="module")
def product():
    with Product() as running:
        yield running


@pytest.fixture(scope="module")
def rater(product):
    return make_rater(product, origins=[])


def tab_to(page, name, most=40):
    """Press Tab until what has the focus is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText ?? ''").strip().startswith(name):
            return
    raise AssertionError(f"no {name} within {most} presses of Tab")


def test_the_inbox_is_worked_through_by_keyboard_alone(product, rater):
    with chromium() as browser:
        page = new_page(browser)
        sign_in(page, product.url, rater["email"], rater["password"])
        page.goto(f"{product.url}/pilots/spring/rate/")
        blind, told, picked = (page.locator(f"#call-{call}") for call in rater["calls"])
        press = page.keyboard.press
        expect(page.locator("[data-walk]").first).to_have_id(f"call-{rater['calls'][2]}")
        expect(picked).to_contain_text("picked by chance")
        expect(told).to_contain_text("Hidden Model")
        for row in (blind, picked):
            expect(row).not_to_contain_text("Hidden Model")
            expect(row).not_to_contain_text("tokens")

        press("?")
        expect(page.locator("[data-keys-help]")).to_have_attribute("open", "")
        press("Escape")
        expect(page.locator("[data-keys-help]")).not_to_have_attribute("open", "")

        press("j")
        expect(picked).to_be_focused()
        press("u")
        expect(picked.locator("[aria-pressed=true]")).to_have_attribute("value", "up")
        press("c")
        expect(picked.locator("textarea")).to_be_focused()
        page.keyboard.type("just what I needed")
        press("Enter")
        expect(picked.locator(".rating-said")).to_contain_text("just what I needed")
        expect(picked).to_be_focused()
        press("j")
        expect(blind).to_be_focused()
        press("d")
        expect(blind.locator("[aria-pressed=true]")).to_have_attribute("value", "down")
        press("t")
        expect(blind.locator("[value=wrong]")).to_be_focused()
        press("Space")
        press("Tab")
        press("Space")
        press("c")
        page.keyboard.type("not at all")
        press("Enter")
        expect(blind.locator(".rating-said")).to_contain_text("not at all")
        expect(blind).to_be_focused()
        press("t")
        expect(blind.locator("[value=wrong]")).to_be_focused()
        press("Escape")
        expect(blind).to_be_focused()
        press("k")
        expect(picked).to_be_focused()
        press("d")
        expect(picked.locator("[aria-pressed=true]")).to_have_attribute("value", "down")
        expect(picked).to_be_focused()
        press("j")
        press("j")
        expect(told).to_be_focused()
        press("u")
        expect(page.locator("#rate-progress")).to_contain_text("Done for today")
        expect(told).to_be_focused()

        assert stored_ratings(product) == [
            [0, ["wrong", "incomplete"], "not at all", "page", False],
            [1, [], "", "page", False],
            [0, [], "just what I needed", "page", False],
        ]

        press("k")
        press("k")
        press("Enter")
        page.wait_for_url(f"**/rate/{rater['calls'][2]}/")
        tab_to(page, "What I said before")
        press("Enter")
        expect(page.locator(".rating-history")).to_contain_text("just what I needed")
        press("t")
        tab_to(page, "Withdraw the rating")
        press("Enter")
        expect(page.locator(".rating")).to_contain_text("withdrawn")
        assert stored_ratings(product)[2] == [0, [], "", "page", True]

        page.goto(f"{product.url}/pilots/spring/votes/")
        expect(page.get_by_role("heading", name="My trend")).to_be_visible()
        expect(page.locator("main")).to_contain_text("Blind answers, all together")
        assert page.complaints == []
