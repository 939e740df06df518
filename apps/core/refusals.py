"""What people are told when an action refuses: the field it is about, and a sentence."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.forms import Form

T = TypeVar("T")
# By the exception: the name of a field, empty for the form as a whole, and the sentence.
Sentences = Mapping[type[Exception], tuple[str, str]]


def attempt(form: Form, action: Callable[[], T], sentences: Sentences) -> T | None:
    """Do it, or add to the form why not and return None."""
    try:
        return action()
    except tuple(sentences) as problem:
        tell(form, *sentences[type(problem)])
    return None


def tell(form: Form, field: str, sentence: str) -> None:
    """Add a sentence to its field, or to the form as a whole where it has no such field."""
    form.add_error(field if field in form.fields else None, sentence)
