"""Answers that say whose they are. A rater who has read that is no longer blind. Pure."""

import re
from collections.abc import Iterable
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Families of models and names of assistants that mean nothing else. Where such a name is also an
# everyday word (falcon, codegen, glm), it tells only if a candidate is called so.
FAMILIES: Final = _words(
    """
    anthropic bard chatglm chatgpt claude codegemma codellama codeqwen codestral codex copilot dbrx
    deepseek devstral ernie gemini gemma hunyuan internlm jamba kimi llama magistral ministral
    mistral mistralai mixtral nemotron olmo openai phind pixtral qwen qwq starchat starcoder tulu
    vicuna wizardcoder wizardlm yi-coder zhipu
    """
)
# Names that tell only together with a version.
_VERSIONED: Final = r"gpt-?[2-9]|phi-?[1-9]|grok-?[1-9]|glm-?[3-9]|command-[ar]"
# Companies that answers also speak of for other reasons: these count where the answer says that
# it is theirs.
VENDORS: Final = _words(
    """
    alibaba amazon apple baidu bytedance cohere databricks google huawei ibm intel meta microsoft
    minimax moonshot nvidia salesforce samsung snowflake tencent together xai
    """
)
# Parts of names of models that say nothing by themselves.
_COMMON: Final = _words(
    """
    assistant awq base beta candidate chat code coder distill experimental fast flash free gguf gptq
    hosted inst instruct instruction large latest lite local long max medium mini model nano next
    open ours plus pre preview pro prod reasoning small standard test think thinking tiny turbo
    ultra versatile vision with
    """
)
_SHORTEST: Final = 4
# "I am a model by Google", "trained by Meta", "an assistant from IBM".
_OWNED: Final = re.compile(
    r"(?:(?:made|built|trained|created|developed|provided|released|designed|fine-tuned|powered)"
    r"(?: and \w+)? (?:by|at|from)|(?:model|assistant|ai) (?:by|from|of))"
    rf" (?:the )?(?:{'|'.join(sorted(VENDORS))})(?![a-z0-9_])"
)


def telling_words(names: Iterable[str]) -> frozenset[str]:
    """Return the words by which candidates' names, or their models' names, would be known.

    "Qwen/Qwen2.5-Coder-32B-Instruct" is known by "qwen"; a word that many names share is none.
    """
    found = set()
    for name in names:
        for piece in re.split(r"[^a-z0-9.]+", name.lower()):
            word = re.sub(r"[\d.].*$", "", piece)
            if len(word) >= _SHORTEST and word not in _COMMON | VENDORS:
                found.add(word)
    return frozenset(found)


def names_itself(text: str, *, names: Iterable[str], prompt: str = "") -> bool:
    """Tell whether an answer names a model or a vendor as its own.

    `names` are those of the candidates and of their models. Words that the prompt has used are the
    asker's own, and tell nothing.
    """
    known = _named(sorted(FAMILIES | telling_words(names)))
    asked = set(known.findall(prompt.lower()))
    if any(word not in asked for word in known.findall(text.lower())):
        return True
    return _OWNED.search(text.lower()) is not None


def _named(words: Iterable[str]) -> re.Pattern[str]:
    """Match any of the words, alone or before a version: "llama3", "qwen2.5", "gpt-4"."""
    any_of = "|".join(re.escape(word) for word in words)
    return re.compile(rf"(?<![a-z0-9_])({any_of}|{_VERSIONED})(?![a-z_])")
