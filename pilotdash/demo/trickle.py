"""A trickle of live calls to the sample pilot, by the real openai client.

`python -m pilotdash.demo.trickle`: one call every few seconds by one of the sample developers, some
rated, some abandoned. It stops by itself after twelve hours.
"""

import contextlib
import json
import random
import signal
import time
import urllib.error
import urllib.request
from typing import Any

import openai

from pilotdash import env
from pilotdash.demo.cast import BLIND_ALIAS, FINALISTS, TAGS, TRIAL
from pilotdash.demo.keys import read_keys

LASTS_S = 12 * 3600
PAUSE_S = (2.0, 7.0)
RATED = 0.35
ABANDONED = 0.15
LIKED = 0.65
# What developers may send: the blind name, and those that stand beside it.
MODELS = [BLIND_ALIAS, *(model.alias for model in TRIAL if model not in FINALISTS)]
WEIGHTS = [2.0, 1.0, 1.0]
QUESTIONS = (
    "Why does this pagination skip the last row?",
    "Write a retry helper with exponential back-off and jitter.",
    "Explain what this query plan tells about the missing index.",
    "Turn this loop into a generator and keep its order.",
    "Add a test for the case in which the list is empty.",
    "Review this diff: does the lock cover both writes?",
)
PREFIX = "def total(lines):\n    return sum("


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    keys = read_keys(env.data())
    ends = time.monotonic() + LASTS_S
    while time.monotonic() < ends:
        time.sleep(random.uniform(*PAUSE_S))
        key = random.choice(keys)
        # The provider fails now and then, on purpose; developers see that too.
        with contextlib.suppress(openai.APIError):
            one_call(key, random.choices(MODELS, WEIGHTS)[0])


def one_call(key: str, model: str) -> None:
    base_url = f"{env.gateway_url()}/v1"
    with openai.OpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=60) as client:
        if model != BLIND_ALIAS and random.random() < 0.8:
            stream: Any = client.completions.create(
                model=model, prompt=PREFIX, max_tokens=24, stream=True
            )
        else:
            stream = client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": random.choice(QUESTIONS)}],
                max_tokens=200,
                stream=True,
                extra_headers={"X-PilotDash-Task": random.choice(("chat", "edit"))},
            )
        call_id, is_whole = read(stream)
    if is_whole and call_id.startswith("chatcmpl-") and random.random() < RATED:
        rate(key, call_id, is_liked=random.random() < LIKED)


def read(stream: Any) -> tuple[str, bool]:
    """Return the call's id and whether the answer was read to its end."""
    leave_after = random.randint(2, 12) if random.random() < ABANDONED else 0
    call_id = ""
    for number, event in enumerate(stream, start=1):
        call_id = event.id
        if number == leave_after:
            stream.close()
            return call_id, False
    return call_id, True


def rate(key: str, call_id: str, *, is_liked: bool) -> None:
    rating = {
        "id": call_id,
        "rating": "up" if is_liked else "down",
        "tags": random.sample(TAGS[is_liked], 1),
    }
    request = urllib.request.Request(
        f"{env.gateway_url()}/v1/feedback",
        data=json.dumps(rating).encode(),
        headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
    )
    with contextlib.suppress(urllib.error.URLError):
        urllib.request.urlopen(request, timeout=10).close()


if __name__ == "__main__":
    main()
