from __future__ import annotations

from cli.cluster.embedded import COMFORTABLE_SAMPLES, outgrown
from cli.cluster.report import samples_in


def test_the_number_of_samples_is_read_from_the_gateways_figures() -> None:
    body = b"# TYPE samplemind_samples gauge\nsamplemind_samples 31000.0\nsamplemind_samples_indexed 5.0\n"
    assert samples_in((200, body)) == 31000
    assert samples_in((503, body)) is None
    assert samples_in((200, b"nothing")) is None
    assert samples_in(None) is None


def test_a_library_that_outgrows_the_embedded_ledger_is_told_what_to_do() -> None:
    assert outgrown(COMFORTABLE_SAMPLES) is None
    said = outgrown(COMFORTABLE_SAMPLES + 1)
    assert said is not None
    assert "25,001" in said
    assert "SAMPLEMIND_MONGO__URL" in said
