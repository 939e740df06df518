from decimal import Decimal

import pytest

from apps.core.csv_export import csv_response


def cells(*row):
    return csv_response("t.csv", ["head"], [row]).content.decode().split("\r\n")[1]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", '"\'\r=1"'),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ('say "hi", twice', '"say ""hi"", twice"'),
    ],
)
def test_text_is_never_a_formula(text, written):
    assert cells(text) == written


def test_figures_stay_figures():
    # A number below zero is one, and money is never in powers of ten.
    assert cells(-1, 0.25, Decimal("-2.5"), Decimal("1E-7"), None) == "-1,0.25,-2.5,0.0000001,"


def test_the_file_is_named_and_kept_nowhere():
    response = csv_response("team.csv", ["a"], [])

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="team.csv"'
    assert response["Cache-Control"] == "private, no-store"
    assert response.content == b"a\r\n"
