"""Addresses of the pages on which people rate, and the buttons they show as pressed."""

import re


def page(world, call=None, action=""):
    path = f"/pilots/{world.pilot.slug}/rate/"
    return path if call is None else f"{path}{call.id}/{action}"


def pressed(html):
    return re.findall(r'value="(\w+)" data-key="\w" aria-label="[^"]*" aria-pressed="true"', html)
