"""What people type on the sign-in, account and people pages."""

import re
from typing import Any

from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from apps.accounts.models import Role, User

MOST_ADDRESSES = 100
ROLES = [
    (Role.DEVELOPER, "Developer: calls, rates, sees own calls"),
    (Role.LEAD, "Lead: sees the pilot's results and its people"),
    (Role.VIEWER, "Viewer: sees aggregates only"),
    (Role.ADMIN, "Administrator: everything, set-up included"),
]


class InviteForm(forms.Form):
    emails = forms.CharField(
        label="E-mail addresses",
        help_text="One or several, apart by commas, blanks or lines.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(choices=ROLES, initial=Role.DEVELOPER)

    def clean_emails(self) -> list[str]:
        written = re.split(r"[\s,;]+", self.cleaned_data["emails"])
        emails = list(dict.fromkeys(word.strip("<>").lower() for word in written if word))
        if len(emails) > MOST_ADDRESSES:
            raise ValidationError(f"At most {MOST_ADDRESSES} at a time; these are {len(emails)}.")
        for email in emails:
            try:
                validate_email(email)
            except ValidationError:
                raise ValidationError(f"“{email}” is not an e-mail address.") from None
        return emails


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=ROLES)


class DeletePersonForm(forms.Form):
    email = forms.CharField(label="Type the e-mail address to confirm")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].strip().lower()
        if email != self.user.email:
            raise ValidationError("That is not the address of this person.")
        return email


class NameForm(forms.Form):
    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class NewPasswordForm(forms.Form):
    """A password twice, judged by the site's rules for the user it is for."""

    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )
    repeated = forms.CharField(
        label="Password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        password = cleaned.get("password")
        if password:
            if password != cleaned.get("repeated"):
                self.add_error("repeated", "The two passwords are not the same.")
            self._judge(password, cleaned)
        return cleaned

    def _judge(self, password: str, cleaned: dict[str, Any]) -> None:
        self.user.name = cleaned.get("name", self.user.name)
        self.user.email = cleaned.get("email", self.user.email)
        try:
            validate_password(password, self.user)
        except ValidationError as faults:
            self.add_error("password", faults)


class JoinForm(NewPasswordForm):
    """What a new user tells: a name, a password unless single sign-on is all there is."""

    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    field_order = ["email", "name", "password", "repeated"]

    def __init__(
        self, *args: Any, user: User, asks_email: bool, asks_password: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, user=user, **kwargs)
        if not asks_email:
            del self.fields["email"]
        if not asks_password:
            del self.fields["password"], self.fields["repeated"]
