"""Who and what plays in the demo. Speeds and prices are plausible, not measured; names say so."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

SIMULATOR_KEY: Final = "sk-simulated-provider-key"


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """How a simulated model behaves and what the demo says it costs.

    Prices are USD per million tokens in, cached and out, or per hour; `liked` is the share of
    answers that the made-up developers like, `daily` what they say of a day with it, of five, and
    `accepted` the share of its completions that they keep.
    """

    slug: str
    name: str
    upstream_model: str
    provider: str
    deployment: str
    alias: str
    first_content_ms: float
    tokens_per_s: float
    failure_rate: float
    liked: float
    daily: float = 3.5
    accepted: float = 0.25
    weight: float = 1.0
    context_tokens: int = 16_384
    price: tuple[Decimal, Decimal, Decimal] | None = None
    usd_per_hour: Decimal | None = None
    fim_template: str = ""
    fim_stops: tuple[str, ...] = ()


def _usd(text: str) -> tuple[Decimal, Decimal, Decimal]:
    given, cached, made = (Decimal(part) for part in text.split())
    return given, cached, made


# slug, name, where code goes, region
PROVIDERS: Final = (
    ("together", "Together (simulated)", "outside", "United States"),
    ("hugging-face", "HF Endpoints (simulated)", "outside", "eu-west-1"),
    ("vllm", "vLLM in our cloud (simulated)", "private", "eu-central-1"),
)
_CODELLAMA_STOPS: Final = ("<PRE>", "<SUF>", "<MID>", "<EOT>")

TRIAL: Final = (
    SimulatedModel(
        slug="phind-codellama-34b",
        name="Phind-CodeLlama 34B v2",
        upstream_model="Phind/Phind-CodeLlama-34B-v2",
        provider="vllm",
        deployment="vLLM · 1×A100 80 GB",
        alias="phind-34b",
        first_content_ms=340,
        tokens_per_s=41,
        failure_rate=0.006,
        liked=0.78,
        daily=4.0,
        accepted=0.31,
        usd_per_hour=Decimal("1.79"),
    ),
    SimulatedModel(
        slug="code-llama-34b",
        name="Code Llama Instruct 34B",
        upstream_model="codellama/CodeLlama-34b-Instruct-hf",
        provider="together",
        deployment="Together · per token",
        alias="codellama-34b",
        first_content_ms=520,
        tokens_per_s=58,
        failure_rate=0.012,
        liked=0.69,
        daily=4.0,
        accepted=0.29,
        weight=1.1,
        price=_usd("0.80 0.40 0.80"),
        fim_template="<PRE> {prefix} <SUF>{suffix} <MID>",
        fim_stops=_CODELLAMA_STOPS,
    ),
    SimulatedModel(
        slug="wizardcoder-15b",
        name="WizardCoder 15B",
        upstream_model="WizardLM/WizardCoder-15B-V1.0",
        provider="hugging-face",
        deployment="HF Endpoint · 1×A10G",
        alias="wizardcoder-15b",
        first_content_ms=690,
        tokens_per_s=24,
        failure_rate=0.031,
        liked=0.57,
        daily=3.2,
        accepted=0.24,
        weight=0.85,
        context_tokens=8_192,
        usd_per_hour=Decimal("1.00"),
        fim_template="<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>",
        fim_stops=("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>"),
    ),
    SimulatedModel(
        slug="mistral-7b",
        name="Mistral Instruct 7B",
        upstream_model="mistralai/Mistral-7B-Instruct-v0.3",
        provider="together",
        deployment="Together · per token",
        alias="mistral-7b",
        first_content_ms=230,
        tokens_per_s=96,
        failure_rate=0.004,
        liked=0.54,
        daily=3.1,
        accepted=0.2,
        weight=0.95,
        context_tokens=32_768,
        price=_usd("0.20 0.10 0.20"),
    ),
)
CLOSED: Final = (
    SimulatedModel(
        slug="code-llama-13b",
        name="Code Llama Instruct 13B",
        upstream_model="codellama/CodeLlama-13b-Instruct-hf",
        provider="together",
        deployment="Together · per token",
        alias="codellama-13b",
        first_content_ms=310,
        tokens_per_s=74,
        failure_rate=0.008,
        liked=0.74,
        price=_usd("0.22 0.11 0.22"),
        fim_template="<PRE> {prefix} <SUF>{suffix} <MID>",
        fim_stops=_CODELLAMA_STOPS,
    ),
    SimulatedModel(
        slug="llama-2-13b-chat",
        name="Llama 2 Chat 13B",
        upstream_model="meta-llama/Llama-2-13b-chat-hf",
        provider="together",
        deployment="Together · per token",
        alias="llama2-13b",
        first_content_ms=330,
        tokens_per_s=71,
        failure_rate=0.011,
        liked=0.41,
        context_tokens=4_096,
        price=_usd("0.22 0.11 0.22"),
    ),
)
# Who goes on to the blind trial: the big one, and one at a quarter of its price.
FINALISTS: Final = tuple(m for m in TRIAL if m.slug in ("code-llama-34b", "mistral-7b"))
BLIND_ALIAS: Final = "pilot-chat"
MODELS: Final = {model.upstream_model: model for model in (*TRIAL, *CLOSED)}

# Fourteen developers: name, how much they call, first and last day of the three weeks.
DEVELOPERS: Final = (
    ("Ada Moreno", 1.6, 0, None),
    ("Bashir Haddad", 1.1, 0, None),
    ("Chiara Conti", 2.3, 0, None),
    ("Dmitri Volkov", 0.7, 0, None),
    ("Emeka Obi", 1.4, 1, None),
    ("Freya Lindqvist", 0.9, 0, None),
    ("Goran Petrov", 0.5, 2, 9),
    ("Hana Sato", 1.8, 0, None),
    ("Iris van Dijk", 1.0, 3, None),
    ("Jonas Keller", 0.8, 0, None),
    ("Karim Nasser", 1.2, 7, None),
    ("Lucía Ortega", 1.5, 0, None),
    ("Mei Chen", 0.6, 1, None),
    ("Noah Williams", 0.4, 0, 12),
)
TAGS: Final = {
    True: ("correct", "concise", "good style", "explained well"),
    False: ("wrong", "too long", "ignored context", "made up an API", "slow"),
}
COMMENTS: Final = {
    True: (
        "Found the off-by-one before I did.",
        "Test covered the edge case I had forgotten.",
        "Kept our naming, needed no edits.",
    ),
    False: (
        "Called a method that our client library does not have.",
        "Rewrote the whole file when I asked for one function.",
        "Right idea, but the types do not line up.",
    ),
}
