import pytest

from apps.accounts import audit
from apps.accounts.queries import audit_page
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "none"),
        ("", "none"),
        ([], ""),
        (["a", "b"], "a → b"),
        ([None, "b"], "none → b"),
        (["a", "b", "c"], "a, b, c"),
        ({"x": 1}, "x: 1"),
        (False, "False"),
    ],
)
def test_details_are_written_in_words(value, shown):
    audit.record(actor=None, action="did", subject="thing", detail={"a_b": value}, now=NOON)

    assert audit_page(before=None)[0][0].detail == [("a b", shown)]
