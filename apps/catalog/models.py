"""Providers, candidates and what they cost. Catalog rows retire; they are never deleted."""

from datetime import datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from apps.core.money import MONEY_DIGITS, MONEY_PLACES
from apps.gateway.contract import SERVABLE, SERVED_BY_MOST


class StreamUsage(models.TextChoices):
    """How a provider tells the tokens of a streamed answer."""

    ON_REQUEST = "on_request", "when asked (stream_options)"
    ALWAYS = "always", "always"
    REJECT_OPTION = "reject_option", "rejects stream_options"
    NONE = "none", "never"


class Auth(models.TextChoices):
    BEARER = "bearer", "Authorization: Bearer"
    API_KEY = "api_key", "api-key header"
    X_API_KEY = "x_api_key", "x-api-key header"
    NONE = "none", "none"


class Residence(models.TextChoices):
    """Where code goes when it is sent to a provider."""

    INSIDE = "inside", "Inside: our own machines"
    PRIVATE = "private", "Private path: our own cloud account"
    OUTSIDE = "outside", "Outside: another company"


class CandidateState(models.TextChoices):
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    RETIRED = "retired", "Retired"


def served_by_most() -> list[str]:
    """Return what nearly every server that speaks OpenAI's protocol serves."""
    return list(SERVED_BY_MOST)


class Provider(models.Model):
    """A server that answers calls. `credential` is a MultiFernet token, never shown.

    `serves` holds names of SERVABLE. Stop texts beyond `most_stops` are left out; 0 is no limit.
    """

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    base_url = models.CharField(max_length=500)
    auth = models.CharField(max_length=16, choices=Auth, default=Auth.BEARER)
    credential = models.TextField(blank=True)
    credential_hint = models.CharField(max_length=16, blank=True)
    driver = models.CharField(max_length=32, default="openai")
    stream_usage = models.CharField(
        max_length=16, choices=StreamUsage, default=StreamUsage.ON_REQUEST
    )
    residence = models.CharField(max_length=16, choices=Residence, default=Residence.OUTSIDE)
    region = models.CharField(max_length=120, blank=True)
    ca_pem = models.TextField(blank=True)
    serves = ArrayField(models.CharField(max_length=32), default=served_by_most, blank=True)
    most_stops = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="provider_auth_is_known", condition=Q(auth__in=list(Auth.values))
            ),
            models.CheckConstraint(
                name="provider_stream_usage_is_known",
                condition=Q(stream_usage__in=list(StreamUsage.values)),
            ),
            models.CheckConstraint(
                name="provider_residence_is_known",
                condition=Q(residence__in=list(Residence.values)),
            ),
            models.CheckConstraint(
                name="provider_serves_what_is_known",
                condition=Q(serves__contained_by=list(SERVABLE)),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Candidate(models.Model):
    """A model at a provider: what a pilot tries. `position` fixes its color and shape for good.

    `fallback` answers where this one cannot, as long as code goes to the same class of place.
    """

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="candidates")
    upstream_model = models.CharField(max_length=255)
    deployment = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=16, choices=CandidateState, default=CandidateState.ACTIVE)
    position = models.PositiveIntegerField(unique=True)
    context_tokens = models.PositiveIntegerField(null=True, blank=True)
    fim_template = models.TextField(blank=True)
    fim_stops = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    has_tools = models.BooleanField(default=True)
    fallback = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="stands_in_for"
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="candidate_state_is_known",
                condition=Q(state__in=list(CandidateState.values)),
            ),
            models.CheckConstraint(
                name="candidate_falls_back_to_another",
                condition=Q(fallback__isnull=True) | ~Q(fallback=F("id")),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PriceQuerySet(models.QuerySet["Price"]):
    def in_force(self, *, at: datetime) -> "PriceQuerySet":
        return self.not_over(at=at).filter(valid_from__lte=at)

    def not_over(self, *, at: datetime) -> "PriceQuerySet":
        """In force, or later."""
        return self.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=at))


class Price(models.Model):
    """What a million tokens cost between two moments, in USD. Rows are closed, never edited.

    A price typed in another currency keeps what was typed: the original is `*_usd / usd_per_unit`.
    """

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="prices")
    input_usd_per_mtok = models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES)
    cached_usd_per_mtok = models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES)
    output_usd_per_mtok = models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=120, default="typed")
    currency = models.CharField(max_length=3, default="USD")
    usd_per_unit = models.DecimalField(
        max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES, default=1
    )
    rate_date = models.DateField(null=True, blank=True)

    objects = PriceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="price_ends_after_it_starts",
                condition=Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
            ),
            models.CheckConstraint(
                name="price_is_not_negative",
                condition=Q(
                    input_usd_per_mtok__gte=0,
                    cached_usd_per_mtok__gte=0,
                    output_usd_per_mtok__gte=0,
                ),
            ),
            models.CheckConstraint(
                name="price_other_currency_is_dated",
                condition=Q(currency="USD", usd_per_unit=1) | Q(rate_date__isnull=False),
            ),
            # Two prices in force at once would cost a call twice.
            ExclusionConstraint(
                name="price_one_at_a_time",
                expressions=[
                    ("candidate", RangeOperators.EQUAL),
                    (
                        Func(F("valid_from"), F("valid_to"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} from {self.valid_from:%Y-%m-%d}"


class HostingInterval(models.Model):
    """A stretch of time during which a candidate's machines ran and were paid for by the hour."""

    candidate = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="hosting_intervals"
    )
    usd_per_hour = models.DecimalField(max_digits=MONEY_DIGITS, decimal_places=MONEY_PLACES)
    count = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="hosting_ends_after_it_starts",
                condition=Q(ended_at__isnull=True) | Q(ended_at__gt=F("started_at")),
            ),
            models.CheckConstraint(
                name="hosting_is_not_negative", condition=Q(usd_per_hour__gte=0, count__gte=1)
            ),
            ExclusionConstraint(
                name="hosting_one_at_a_time",
                expressions=[
                    ("candidate", RangeOperators.EQUAL),
                    (
                        Func(F("started_at"), F("ended_at"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.candidate_id} {self.count} x ${self.usd_per_hour}/h"
