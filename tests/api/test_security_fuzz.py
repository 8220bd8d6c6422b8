"""What the description allows and what it does not, sent to a gateway that listens: no 5xx, always the shape said.

A few examples of each operation in every run; ``make fuzz`` sends hundreds of each.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from tests.api.gateway import done, failed, make_gateway
from tests.api.gateway import sample as make_sample
from tests.api.serving import serve
from tests.servers import missing

try:
    import schemathesis
    from schemathesis import checks
except ImportError:
    missing("schemathesis is not installed")

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]
ALL = list(HealthCheck)
EXAMPLES = int(os.environ.get("SAMPLEMIND_FUZZ_EXAMPLES", "8"))
HELD = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
)


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The live description of a gateway that has a job, a sample, and asks for keys."""
    gateway = make_gateway(tmp_path_factory.mktemp("gateway"), event_interval_s=0.01)
    gateway.folder_job({"a.wav": done(make_sample("a.wav").id), "b.wav": failed()})
    gateway.sample("a.wav")
    gateway.index()
    _, secret = gateway.stores.keys.create(name="fuzz", owner="local", scopes=["admin"], ttl_s=None)
    gateway.app.state.parts.gate.forget()
    with serve(gateway) as serving:
        schema = schemathesis.openapi.from_url(f"{serving.url}/openapi.json")
        schema.config.update(headers={"X-API-Key": secret})
        yield schema


@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_every_answer_is_as_described(description: Any, mode: Any) -> None:
    wrong: list[str] = []
    for found in description.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=EXAMPLES < 50, suppress_health_check=ALL
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            answer = case.call(timeout=30)
            assert answer.headers["content-security-policy"][0].startswith("default-src 'none'")
            # Not ready is what it is, without workers: said with 503, and as described.
            excluded = [checks.not_a_server_error] if case.operation.path == "/ready" else []
            if any(value in ("", [""]) for value in (case.query or {}).values()):
                excluded.append(checks.negative_data_rejection)  # without a value it was not given, as described
            case.validate_response(answer, checks=HELD, excluded_checks=excluded)

        try:
            one()
        except Unsatisfiable:
            assert mode is schemathesis.GenerationMode.NEGATIVE, operation.label  # there is nothing to get wrong
        except (AssertionError, BaseExceptionGroup) as error:
            wrong.append(f"{operation.label}: {error}")
    assert not wrong, "\n\n".join(wrong)
