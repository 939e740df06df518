from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from apps.core.uuid7 import compose
from apps.usage.sight import deciphered, enciphered

IDS = st.builds(
    compose,
    st.integers(0, 2**48 - 1),
    st.integers(0, 2**12 - 1),
    st.integers(0, 2**62 - 1),
)


@given(IDS, st.integers(1, 2**63 - 1))
def test_a_reference_stands_for_its_id_within_its_pilot(call_id, pilot_id):
    reference = enciphered(call_id, pilot_id=pilot_id)

    assert deciphered(reference, pilot_id=pilot_id) == call_id
    assert reference != call_id != deciphered(reference, pilot_id=pilot_id + 1)


def test_references_of_neighbors_have_nothing_in_common():
    one, next_one = (enciphered(compose(1_795_000_000_000, 0, each), pilot_id=1) for each in (0, 1))

    shared = sum(a == b for a, b in zip(one.bytes, next_one.bytes, strict=True))
    assert isinstance(one, UUID)
    assert shared < 6
