from typing import Any

from django import forms
from django.http import QueryDict

from apps.feedback.models import Rating
from apps.feedback.scales import NotARating, WrongScale, score_of
from apps.feedback.words import BadComment, BadTag, checked_comment, checked_tags


class RatingForm(forms.Form):
    """A press of a rating button, or the reason given afterwards, which brings no rating.

    Cleaned: `score`, that of the standing rating when only the reason came; `tags` and `comment`,
    None when only the rating came.
    """

    rating = forms.CharField(required=False)
    comment = forms.CharField(required=False, strip=False)
    reason = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict, *, scale: str, standing: Rating | None) -> None:
        super().__init__(data)
        self._tags = data.getlist("tags")
        self._scale = scale
        self._standing = standing

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = {"score": self._score(), "tags": None, "comment": None}
        if self.cleaned_data.get("reason"):
            try:
                said["tags"] = checked_tags(self._tags)
                said["comment"] = checked_comment(self.cleaned_data.get("comment", ""))
            except (BadTag, BadComment) as problem:
                raise forms.ValidationError(str(problem)) from None
        return said

    def _score(self) -> int:
        text = self.cleaned_data.get("rating", "")
        if not text and self._standing is not None and self._standing.scale == self._scale:
            return self._standing.score
        try:
            is_digit = len(text) == 1 and text.isascii() and text.isdigit()
            return score_of(int(text) if is_digit else text, self._scale)
        except (NotARating, WrongScale):
            raise forms.ValidationError("Rate the answer with one of the buttons.") from None
