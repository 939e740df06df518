"""Why figures are not shown, and what would show them, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.dashboard.leaderboard import Row

_NUMBERS = {5: "five"}


@dataclass(frozen=True, slots=True)
class Explanation:
    title: str
    text: str


def why_hidden(rows: Sequence[Row], *, is_lead: bool) -> Explanation | None:
    """Say what the figures of a period wait for; None where the reader sees every one.

    `is_lead`: of somebody who would see all of them in a pilot that names people.
    """
    least = rows[0].reader.least if rows else 0
    if not least:
        return None
    few = any(row.figures.is_hidden for row in rows)
    shown = any(row.figures.usage.calls for row in rows)
    if shown and not few:
        return None
    people = f"{_NUMBERS.get(least, least)} people"
    because = "Figures of fewer would tell what one of them does."
    if shown:
        return Explanation(f"Candidates that fewer than {people} called show no figures", because)
    so_far = f"Fewer than {people} have so far." if few else "Nobody has in this period."
    text = f"{so_far} {because}"
    if is_lead:
        text += (
            " A pilot that names people shows them from the first call on; an administrator "
            "chooses that in its set-up, before anyone joins."
        )
    return Explanation(f"Figures appear once {people} have called a candidate", text)
