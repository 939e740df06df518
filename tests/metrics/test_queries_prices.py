from datetime import timedelta

import pytest

from apps.metrics.queries_prices import CostTerms, cost_terms
from tests.factories import NOON, make_candidate, make_hosting, make_price

pytestmark = pytest.mark.django_db


def test_prices_and_machines_stand_by_candidate_oldest_first():
    per_token, hosted, neither = (make_candidate() for _ in range(3))
    new = make_price(per_token, 3, 6, valid_from=NOON)
    old = make_price(per_token, 2, 4, valid_to=NOON)
    free = make_price(hosted, 0, 0, 0)
    stopped = make_hosting(
        hosted, started_at=NOON - timedelta(days=9), ended_at=NOON - timedelta(days=8)
    )
    running = make_hosting(hosted)

    found = cost_terms([per_token.id, hosted.id, neither.id])

    assert found == {
        per_token.id: CostTerms((old, new), ()),
        hosted.id: CostTerms((free,), (stopped, running)),
        neither.id: CostTerms((), ()),
    }
    assert (found[per_token.id].price, found[per_token.id].machines) == (new, None)
    # The price of zero that comes with machines is no price that anybody pays.
    assert (found[hosted.id].price, found[hosted.id].machines) == (None, running)
    assert found[hosted.id].paid_prices == []
    assert found[per_token.id].paid_prices == [new, old]
