"""A blind trial goes on and ends, on the whole product with its sample pilot: a developer sends
today's assistant away, a lead looks at the balance, an administrator announces the end.
"""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.chrome import MARKS, chromium, new_page, sign_in
from tests.product import Product

pytestmark = MARKS


@pytest.fixture(scope="module")
def product():
    with Product(demo=True) as running:
        yield running


@pytest.fixture(scope="module")
def demo(product):
    return json.loads((product.data / "demo.json").read_text())


def enter(browser, product, demo, role):
    page = new_page(browser)
    sign_in(page, product.url, demo[role]["email"], demo[role]["password"])
    return page


def test_assistant_is_sent_away_balance_is_seen_and_the_end_is_announced(product, demo):
    pilot = f"{product.url}/pilots/{demo['pilot']}"
    with chromium() as browser:
        developer = enter(browser, product, demo, "developer")
        developer.goto(f"{pilot}/connect/")
        developer.get_by_role("button", name="Not this one today").click()
        turns = developer.locator("#not-this-one")
        expect(turns).to_contain_text("Another one answers you now")
        expect(turns.locator("li", has_text=demo["blind_alias"])).to_contain_text(
            "Another one answers until"
        )

        lead = enter(browser, product, demo, "lead")
        lead.goto(f"{pilot}/rotation/")
        expect(lead.locator("tbody th", has_text="Arm 1")).to_have_count(1)
        expect(lead.locator("tbody th", has_text="Arm 2")).to_have_count(1)
        expect(lead.get_by_role("button", name="Sent away")).to_be_visible()

        admin = enter(browser, product, demo, "admin")
        admin.goto(f"{product.url}/setup/pilots/{demo['pilot']}/close/")
        admin.fill("[name=sentence]", "Thank you all.")
        admin.get_by_role("button", name="What would happen?").click()
        expect(admin.locator("#preview")).to_contain_text("with your sentence: “Thank you all.”")
        admin.get_by_role("button", name="Announce it").click()
        expect(admin.get_by_text("Announced. Mails go out within a minute.")).to_be_visible()
        developer.reload()
        expect(developer.locator("#closing")).to_contain_text("closes on")
        for page in (developer, lead, admin):
            assert page.complaints == []
