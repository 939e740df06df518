"""When the first token came: what a model says at first is often nothing."""

import json

DONE = b"data: [DONE]\n\n"


def chunk(content: str, finish=None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode()


async def test_the_first_content_is_the_first_token(rig):
    pause = 0.2
    role = {"role": "assistant", "content": ""}
    rig.provider.paced = [
        b": WAIT\n\n",
        b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, "delta": role}]}).encode(),
        pause / 2,
        chunk(""),
        b"data:\n\n",
        b'data: {"choices":[]}\n\n',
        b": WAIT\n\n",
        pause / 2,
        chunk("Hello"),
        pause,
        chunk(" world", finish="stop"),
        DONE,
    ]

    await rig.chat(stream=True)

    record = rig.record()
    assert record.outcome == "ok"
    # A millisecond may be lost where each of the two is rounded.
    assert record.first_content_ms >= record.first_byte_ms + pause * 1_000 - 1
    assert record.total_ms >= record.first_content_ms + pause * 1_000 - 1


async def test_a_stream_without_content_has_no_first_token(rig):
    rig.provider.paced = [chunk(""), chunk("", finish="stop"), DONE]

    await rig.chat(stream=True)

    record = rig.record()
    assert (record.outcome, record.first_content_ms) == ("ok", None)
    assert record.first_byte_ms is not None
