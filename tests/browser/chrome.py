"""Chromium for the browser tests: pages that report complaints, and signing in."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# The machine may be busy with other tests.
expect.set_options(timeout=30_000)

WIDE = {"width": 1440, "height": 900}
MARKS = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path(CHROMIUM).exists() and os.environ.get("CI") != "true", reason="no Chromium"
    ),
]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def new_page(browser: Browser, **options) -> Page:
    """A page of somebody new, whose `complaints` are what the browser complains about."""
    page = browser.new_context(**{"viewport": WIDE} | options).new_page()
    page.complaints = []  # type: ignore[attr-defined]

    def note(message) -> None:
        if message.type in ("error", "warning"):
            page.complaints.append(message.text)  # type: ignore[attr-defined]

    page.on("console", note)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
    return page


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda where: "/accounts/login/" not in where)
