"""Tables as CSV files that a spreadsheet opens without running what is in them."""

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import StringIO

from django.http import HttpResponse

# What makes a spreadsheet read a cell as a formula; tabs and returns hide one from the eye.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}")
Cell = str | int | float | Decimal | None


def csv_response(name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """Return rows as a file; None is an empty cell, text never a formula."""
    content = StringIO()
    writer = csv.writer(content)
    writer.writerow(header)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    response = HttpResponse(content.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
    # Never in scientific notation, which some spreadsheets take for text.
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
