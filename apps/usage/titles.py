"""The names under which editors list the pilot's models, and report what was done with them. Pure.

The alias stands in each: candidates are renamed while settings that were handed out stay, and a
blind alias has no other name to show.
"""

from typing import Final

SEPARATOR: Final = " · "


def title_of(name: str, alias: str, task: str) -> str:
    """Return what an editor shows for one use of an alias. Different for each alias and task."""
    return SEPARATOR.join(part for part in (name, alias, task) if part)


def named_in(title: str) -> str:
    """Return the alias that a title holds; of settings handed out before, the candidate's name."""
    *parts, _ = title.rsplit(SEPARATOR, 2)
    return parts[-1] if parts else title
