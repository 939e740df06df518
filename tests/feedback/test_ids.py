from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.feedback.ids import call_id_of

ID = UUID("019aa1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")


@given(st.uuids())
def test_every_form_of_an_id_names_the_same_call(value):
    forms = [str(value), value.hex, f"chatcmpl-{value.hex}", f"cmpl-{value.hex}"]

    assert [call_id_of(form) for form in forms] == [value] * 4
    assert call_id_of(str(value).upper()) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "last",
        "today",
        "chatcmpl-",
        f"chatcmpl-{ID}",  # the completion id has no dashes
        f"resp-{ID.hex}",
        f"chatcmpl-cmpl-{ID.hex}",
        f"urn:uuid:{ID}",
        f"{{{ID}}}",
        f" {ID}",
        f"{ID}\n",
        ID.hex[:-1],
        ID.hex + "0",
        "chatcmpl-9XyzOpenAIsOwnId",
        "g" * 32,
        "٣" * 32,  # digits of another script
    ],
)
def test_another_text_names_no_call(text):
    assert call_id_of(text) is None


@given(st.text())
def test_no_text_is_an_error(text):
    assert call_id_of(text) is None or len(text) >= 32
