"""What a cluster says of itself to those who would join it."""

from __future__ import annotations

from stores.records import Offer
from tests.stores.conftest import Bench


def test_the_last_gateway_that_started_is_right(bench: Bench) -> None:
    assert bench.ledger.offer() is None
    for offer in (Offer("1.0.0", ("uploads",), "sm:"), Offer("1.1.0", ("library", "uploads"), "other:")):
        bench.ledger.announce(offer)
        assert bench.ledger.offer() == offer
