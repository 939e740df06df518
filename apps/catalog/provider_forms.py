"""What administrators type about providers."""

from typing import Final

from django import forms
from django.core.exceptions import ValidationError

from apps.catalog.forms import PLAIN, SlugForm
from apps.catalog.models import Auth, Residence, StreamUsage
from apps.gateway.contract import SERVABLE, SERVED_BY_MOST

# In the words of what developers do with them; names of paths are for whoever knows the server.
SERVED_WORDS: Final = {
    "chat/completions": "Chat (/chat/completions)",
    "completions": "Text completion (/completions)",
    "suffix": "… and it takes a suffix there, for completing code in place",
    "fim/completions": "Completing code in place (/fim/completions)",
    "embeddings": "Embeddings (/embeddings)",
    "rerank": "Reranking (/rerank)",
    "responses": "OpenAI’s Responses (/responses)",
    "messages": "Anthropic’s Messages (/messages)",
    "messages/count_tokens": "… and it counts their tokens (/messages/count_tokens)",
}
assert set(SERVED_WORDS) == set(SERVABLE)


class ProviderSettings(forms.Form):
    base_url = forms.CharField(
        label="Base address",
        max_length=500,
        help_text="Up to and including /v1, or whatever stands before /chat/completions.",
        widget=forms.TextInput(attrs=PLAIN | {"inputmode": "url", "class": "mono"}),
    )
    auth = forms.ChoiceField(label="Authentication", choices=Auth)
    residence = forms.ChoiceField(
        label="Where code goes",
        choices=Residence,
        help_text="Developers see this beside their key.",
    )
    region = forms.CharField(
        max_length=120, required=False, help_text="Shown with it, such as eu-central-1 or Paris."
    )
    stream_usage = forms.ChoiceField(
        label="Token counts in streams",
        choices=StreamUsage,
        help_text="Where there are none, tokens are estimated and marked as such.",
    )
    serves = forms.MultipleChoiceField(
        label="What it serves",
        choices=list(SERVED_WORDS.items()),
        initial=list(SERVED_BY_MOST),
        widget=forms.CheckboxSelectMultiple,
        help_text="Calls to anything else are refused at once, with a sentence that says so. Where "
        "it cannot complete code in place, the candidate’s own template does, with text "
        "completion.",
    )
    most_stops = forms.IntegerField(
        label="Stop texts it takes",
        required=False,
        min_value=0,
        max_value=1_000,
        help_text="Editors send up to a dozen; what is beyond this is left out. Empty or 0: any "
        "number.",
        widget=forms.NumberInput(attrs=PLAIN),
    )
    ca_pem = forms.CharField(
        label="More certificate authorities",
        required=False,
        help_text="PEM, for a server whose certificate your company has signed itself.",
        widget=forms.Textarea(attrs=PLAIN | {"rows": 3, "class": "mono"}),
    )

    def clean_most_stops(self) -> int:
        return self.cleaned_data["most_stops"] or 0

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"]
        if "{" in url:
            missing = url.partition("{")[2].partition("}")[0]
            raise ValidationError(f"Put your own value in the place of {{{missing}}}.")
        return url


class AddProviderForm(SlugForm, ProviderSettings):
    credential = forms.CharField(
        label="Key or token",
        required=False,
        max_length=4_000,
        help_text="Stored encrypted and never shown again.",
        widget=forms.PasswordInput(attrs=PLAIN | {"autocomplete": "new-password"}),
    )
    field_order = ["name", "slug", "base_url", "auth", "credential", "residence", "region"]


class ChangeProviderForm(ProviderSettings):
    name = forms.CharField(max_length=120)
    field_order = ["name", "base_url", "auth", "residence", "region"]


class CredentialForm(forms.Form):
    credential = forms.CharField(
        label="New key or token",
        max_length=4_000,
        widget=forms.PasswordInput(attrs=PLAIN | {"autocomplete": "new-password"}),
    )
