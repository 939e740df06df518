import re

import pytest
from genai_prices.data_snapshot import get_snapshot

from apps.catalog.known_prices import known_price, source_of
from apps.catalog.presets import (
    context_tokens_of,
    fim_of,
    presets_by_group,
    provider_presets,
)
from apps.catalog.provider_forms import AddProviderForm
from apps.catalog.provider_views import PRESET_FIELDS
from tests.factories import NOON

GROQ = "https://api.groq.com/openai/v1"


def test_every_preset_stands_in_one_group():
    grouped = [preset.slug for _, presets in presets_by_group() for preset in presets]

    assert sorted(grouped) == sorted(provider_presets())


@pytest.mark.parametrize("preset", provider_presets().values(), ids=lambda preset: preset.slug)
def test_preset_fills_the_form_but_for_what_is_ones_own(preset):
    told = {name: getattr(preset, name) for name in PRESET_FIELDS}

    form = AddProviderForm(told)

    expected = {"base_url"} if "{" in preset.base_url else set()
    assert set(form.errors) == expected
    assert re.fullmatch(r"https?://[^ /]+(/[^ ]*)?", preset.base_url)
    assert preset.note.endswith(".")


@pytest.mark.parametrize(
    ("model", "template"),
    [
        (
            "Qwen/Qwen2.5-Coder-32B-Instruct",
            "<|fim_prefix|>{prefix}<|fim_suffix|>{suffix}<|fim_middle|>",
        ),
        ("codellama/CodeLlama-13b-Instruct-hf", "<PRE> {prefix} <SUF>{suffix} <MID>"),
        ("codellama:7b", "<PRE> {prefix} <SUF>{suffix} <MID>"),
        ("codellama/CodeLlama-34b-Instruct-hf", None),  # was never trained to
        ("bigcode/starcoder2-15b", "<fim_prefix>{prefix}<fim_suffix>{suffix}<fim_middle>"),
        ("codestral-latest", "[SUFFIX]{suffix}[PREFIX]{prefix}"),
        ("gpt-4.1", None),
        ("", None),
    ],
)
def test_template_is_known_by_a_part_of_the_name(model, template):
    fim = fim_of(model)

    assert (fim.template if fim else None) == template


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("Qwen/Qwen2.5-Coder-7B", 32_768),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", 262_144),
        ("openai/gpt-oss-20b", 131_072),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite", 163_840),
        ("deepseek-ai/deepseek-coder-6.7b", 16_384),
        ("bigcode/starcoder2-3b", 16_384),
        ("bigcode/starcoder", 8_192),
        ("unheard-of", None),
    ],
)
def test_context_is_known_by_a_part_of_the_name(model, tokens):
    assert context_tokens_of(model) == tokens


def test_known_price_is_what_the_list_says():
    _, info = get_snapshot().find_provider_model("openai/gpt-oss-120b", None, "groq", None)
    listed = info.get_prices(NOON)

    price = known_price(GROQ, "openai/gpt-oss-120b", now=NOON)

    assert (price.input_usd, price.cached_usd, price.output_usd) == (
        listed.input_mtok,
        listed.cache_read_mtok,
        listed.output_mtok,
    )


def test_price_without_one_for_the_cache_takes_the_one_for_input():
    price = known_price("https://api.mistral.ai/v1", "codestral-latest", now=NOON)

    assert price.cached_usd == price.input_usd


def test_service_that_moved_is_known_by_both_addresses():
    prices = [
        known_price(f"https://api.together.{end}/v1", "openai/gpt-oss-120b", now=NOON)
        for end in ("ai", "xyz")
    ]

    assert prices[0] == prices[1] is not None


def test_price_that_rises_with_length_says_so():
    url = "https://generativelanguage.googleapis.com/v1beta/openai"

    price = known_price(url, "gemini-2.5-pro", now=NOON)

    assert price.note == "Long prompts cost more there; this is the price of short ones."


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("http://10.0.0.1:8000/v1", "openai/gpt-oss-120b"),  # one's own host has no list price
        ("http://127.0.0.1:8000/v1", "gpt-4.1"),
        (GROQ, "never heard of"),
        (GROQ, ""),
    ],
)
def test_price_that_is_not_known_is_none(url, model):
    assert known_price(url, model, now=NOON) is None


def test_source_of_a_price_is_the_list_only_while_nobody_changed_it():
    known = known_price(GROQ, "openai/gpt-oss-120b", now=NOON)
    told = {name: getattr(known, name) for name in ("input_usd", "cached_usd", "output_usd")}

    assert source_of(told, GROQ, "openai/gpt-oss-120b", now=NOON) == "genai-prices"
    told["output_usd"] *= 2
    assert source_of(told, GROQ, "openai/gpt-oss-120b", now=NOON) == "typed"
    assert source_of(told, "http://10.0.0.1/v1", "m", now=NOON) == "typed"
