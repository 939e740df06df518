"""Lines of a segment that are torn or cannot be read."""

from apps.gateway.segments import FINISHED, encode, load, parse
from tests.gateway.records import admitted, finished


def test_lines_that_cannot_be_read_are_shipped_as_they_stand():
    good = encode(FINISHED, 5, b"{}")

    lines = list(parse(good + b"F x y\n" + b"rubbish\n" + good + b"torn"))

    assert [(line.kind, line.raw) for line in lines] == [
        (FINISHED, b"{}"),
        (FINISHED, b"F x y"),
        (FINISHED, b"rubbish"),
        (FINISHED, b"{}"),
    ]


def test_a_torn_last_line_is_cut(tmp_path):
    path = tmp_path / "00000001.log"
    whole = encode(FINISHED, 1, finished(admitted()).to_json())
    path.write_bytes(whole + b"A 17 {")

    segment = load(path)

    assert (segment.size, segment.finished) == (len(whole), 1)
