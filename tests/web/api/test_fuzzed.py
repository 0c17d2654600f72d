"""Requests that schemathesis generates from the API's document: responses match the document."""

import json

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from appliance.web.api import views
from appliance.web.shell.rate_limits import limiter
from tests.rig.programs import confirmed_key

EXAMPLES_PER_OPERATION = 8
# An implausible month, a day of another century or a code that is on no list is refused, which the
# document cannot express: therefore the check `positive_data_acceptance` is left out.


@pytest.fixture
def headers(app: Flask, monkeypatch, register) -> dict[str, str]:
    """The headers of a program that has every right, over some appeals; other tests check
    limits.
    """
    monkeypatch.setattr(limiter, "enabled", False)
    register()
    return {"Authorization": f"Bearer {confirmed_key()}", "X-Forwarded-Proto": "https"}


def test_every_operation_responds_as_documented(app: Flask, headers) -> None:
    import schemathesis  # here: slow to import
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_dict(json.loads(views.OPENAPI_FILE.read_text("utf-8")))
    schema.app = app
    labels = []
    fuzzed_schema = schema.exclude(path="/openapi.json")  # a static file, served without a key
    for candidate in fuzzed_schema.get_all_operations():
        operation = candidate.ok()

        @settings(
            max_examples=EXAMPLES_PER_OPERATION,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def fuzz_operation(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
            labels.append(case.operation.label)

        fuzz_operation()
    assert len(set(labels)) == 6
    assert len(labels) > 6 * EXAMPLES_PER_OPERATION // 2
