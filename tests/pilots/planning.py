"""What tests of the steps of a plan share."""

from apps.pilots.wizard import STEPS

BASICS = {
    "name": "Autumn",
    "starts_on": "2026-12-01",
    "ends_on": "2026-12-28",
    "zone": "Europe/Berlin",
    "budget_usd": "1500",
}
PAGES = [f"/setup/pilots/autumn/plan/{step}/" for step in STEPS]


def said(response):
    return {name: list(each) for name, each in response.context["form"].errors.items()}
