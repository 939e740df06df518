from typing import Any

from django import forms
from django.http import QueryDict

from apps.feedback import daily
from apps.feedback.models import Channel
from apps.feedback.preferences import LONGEST_ADDRESS
from apps.feedback.pulse import TOPICS
from apps.pilots.models import UseRole

CHOOSE = "Choose one of the five buttons."
SCORES = [(str(score), str(score)) for score in daily.SCORES]


class DayForm(forms.Form):
    """What somebody says of a day. `do` is skip or withdraw, or empty for an answer.

    Cleaned: `score` is None where only the reason came, `reason` None where only a score did.
    """

    day = forms.DateField()
    role = forms.ChoiceField(choices=UseRole)
    do = forms.ChoiceField(choices=[("skip", ""), ("withdraw", "")], required=False)
    score = forms.TypedChoiceField(
        choices=SCORES,
        coerce=int,
        empty_value=None,
        required=False,
        error_messages={"invalid_choice": CHOOSE},
    )
    reason = forms.CharField(required=False, strip=False)

    def clean_reason(self) -> str | None:
        return self.cleaned_data["reason"] if "reason" in self.data else None

    def problems(self) -> list[str]:
        """Return what is wrong as sentences."""
        return [str(problem) for problems in self.errors.values() for problem in problems]


class PulseForm(forms.Form):
    """The week's questions: each may be left out."""

    week = forms.DateField()
    do = forms.ChoiceField(choices=[("skip", ""), ("withdraw", "")], required=False)
    comment = forms.CharField(required=False, strip=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        for topic in TOPICS:
            self.fields[topic] = forms.TypedChoiceField(
                choices=SCORES,
                coerce=int,
                empty_value=None,
                required=False,
                error_messages={"invalid_choice": "Choose from 1 to 5."},
            )

    @property
    def scores(self) -> dict[str, int | None]:
        return {topic: self.cleaned_data[topic] for topic in TOPICS}


class AskingForm(forms.Form):
    """How, and from which hour on, somebody wants to be asked."""

    channel = forms.ChoiceField(
        label="Ask me",
        choices=Channel,
        widget=forms.RadioSelect,
    )
    hour = forms.TypedChoiceField(
        label="From",
        coerce=int,
        choices=[(hour, f"{hour:02d}:00") for hour in (*range(4, 24), *range(4))],
        help_text="Once on a day on which you used the assistant, in the pilot’s time zone.",
    )
    webhook = forms.CharField(
        label="Address of your chat’s incoming webhook",
        required=False,
        max_length=LONGEST_ADDRESS,
        help_text=(
            "As Slack, Mattermost and Rocket.Chat give it. It is stored sealed and never shown "
            "again. Empty keeps the one that is known."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}
        ),
    )

    def clean_webhook(self) -> str:
        return "".join(self.cleaned_data["webhook"].split())


class QuestionsForm(forms.Form):
    """The texts of a pilot; an empty one stands for ours."""

    daily = forms.CharField(label="The daily question", required=False, max_length=200)
    sample_percent = forms.DecimalField(
        label="Answers in the random sample, in percent",
        min_value=0,
        max_value=100,
        max_digits=4,
        decimal_places=1,
        help_text="Of those that can be rated; nobody is asked about more than three a day.",
    )

    def __init__(self, *args: Any, ours: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["daily"].widget.attrs["placeholder"] = ours["daily"]
        for topic in TOPICS:
            self.fields[topic] = forms.CharField(
                label=topic.replace("_", " ").capitalize(),
                required=False,
                max_length=200,
                widget=forms.TextInput(attrs={"placeholder": ours[topic]}),
            )
        self.order_fields(["daily", *TOPICS])
