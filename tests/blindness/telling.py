"""What must not reach a rater: words, numbers and ids by which blind candidates can be told."""

import re
from decimal import Decimal

from apps.core.drawing import candidate_mark

# Each stands for one of two candidates that take turns: name, maker's name for it, provider, host,
# place, template. Nothing else in these tests holds any of them.
WORDS = ("quartzite", "obsidian", "qzlabs", "oxworks", "northwind", "southgale", "qzfim", "oxfim")
CANDIDATES = (600_600_601, 600_600_602)
PROVIDERS = (700_700_701, 700_700_702)
PRICES = tuple(Decimal(price) for price in ("7.130013", "19.910029", "3.370011", "11.730023"))
# What every blind call took, in milliseconds, and the speed that follows from it.
FIRST_MS, TOTAL_MS = 40_717, 83_219
PROMPT, CACHED, COMPLETION = 31_337, 1_123, 2_718

FIGURES = (
    *(rf"{price.normalize():f}"[:4].replace(".", r"\.") for price in PRICES),
    *(f"{ms}|{ms:,}|{ms / 1000:.1f}|{ms / 1000:.2f}" for ms in (FIRST_MS, TOTAL_MS)),
    r"63\.9",
    r"64\.0",
    # Nothing else in these tests costs anything.
    r"\$\d*\.\d*[1-9]",
    r"cost_usd\W{1,4}[\d\"]+\.?\d*[1-9]",
)
# The marks that candidates have in lists and charts: a color, and so a shape.
POSITIONS = (1_000_006, 1_000_007)
MARKS = tuple(rf"mark {candidate_mark(position).color}\b" for position in POSITIONS)
IDS = tuple(str(number) for number in (*CANDIDATES, *PROVIDERS))
TELLING = re.compile(
    "|".join([*WORDS, *MARKS, *(rf"(?<![\d.])(?:{each})(?!\d)" for each in FIGURES), *IDS]),
    re.IGNORECASE,
)


def told_in(text: str | bytes) -> list[str]:
    """Return every telling word with what stands around it."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return [
        f"…{text[max(0, found.start() - 60) : found.end() + 40]}…"
        for found in TELLING.finditer(text)
    ]
