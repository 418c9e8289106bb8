"""Every operation that the service describes, called with what its description allows and with what it does not.

The calls come from the document itself. No answer is a mistake of ours, and none is undocumented.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.openapi import from_dict

from .house import basket
from .serving import Service

NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


def call_as_described(service: Service, cases: int) -> int:
    """Call every operation with so many generated requests, four times as many where it takes a body; count them."""
    document = from_dict(service.call("GET", "/openapi.json").json())
    checks: list[Any] = [CHECKS.get_one(name) for name in NAMES]
    decisions = [service.call("POST", "/v1/decisions", basket()).json()["decision_id"] for _ in range(3)]
    count = 0
    operations = [result.ok() for result in document.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == sum(map(len, document.raw_schema["paths"].values())) > 12
    for operation in operations:
        modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        strategy = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

        @seed(20261121)
        @settings(
            max_examples=cases * (4 if operation.body else 1),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, known=st.sampled_from([None, *decisions]))
        def attack(case: schemathesis.Case[Any], known: str | None) -> None:
            nonlocal count
            if known is not None and "decision_id" in (case.path_parameters or {}):
                case.path_parameters["decision_id"] = known
            count += 1
            case.call_and_validate(f"http://127.0.0.1:{service.port}", checks=checks, timeout=60)

        attack()
    return count


def test_a_dozen_calls_of_each_operation_are_answered_as_described(service: Service) -> None:
    assert call_as_described(service, 6) >= 140


@pytest.mark.slow
def test_thousands_of_calls_are_answered_as_described(service: Service) -> None:
    assert call_as_described(service, 260) >= 5_000
