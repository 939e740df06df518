"""What is left of a blind call: that it was made, when and for what, and whether it was answered.

The rest would tell who answered, or let calls be sorted by it: tokens are counted differently by
each model, estimated where one provider does not tell, and cached where another caches. Pages and
exports are given calls with the veil on, so that none has to think of it.
"""

from apps.usage.models import Call

# What the caller said or saw without us. Neither who answered nor what would tell: times, tokens,
# money, and how the tokens were counted. When it was stored tells how long it took.
TOLD = (
    "id",
    "admitted_at",
    "pilot_id",
    "person_id",
    "key_id",
    "alias",
    "endpoint",
    "task",
    "source",
    "session",
    "outcome",
    "streamed",
    "rateable",
    "request_bytes",
    "client_request_id",
    "client",
    "client_retry",
)
# Values that stand for nothing where a column takes no null.
_NOTHING = {
    "candidate_id": 0,
    "provider_id": 0,
    "usage_source": "none",
    "finish_reason": "",
    "tool_calls": 0,
    "error": "",
    "attempts": [],
    "upstream_request_id": "",
    "stored_at": None,
}


def veiled(call: Call) -> Call:
    """Return a call that tells nothing of who answered it. It is for showing, not for saving."""
    return Call(**_NOTHING, **{name: getattr(call, name) for name in TOLD})
