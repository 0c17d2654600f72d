"""What the API's document allows, made by schemathesis: each answer is as the document tells."""

import json

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from appliance.web.api import views
from appliance.web.shell.rates import limiter
from tests.rig.programs import key_in_force

EXAMPLES = 8  # of each operation
# A month of no calendar, a day of another century, a code of no list is refused in words, though
# the document cannot say so: `positive_data_acceptance` is not asked for.


@pytest.fixture
def headers(app: Flask, monkeypatch, register) -> dict[str, str]:
    """Of a program that may everything, over some appeals; limits are tried elsewhere."""
    monkeypatch.setattr(limiter, "enabled", False)
    register()
    return {"Authorization": f"Bearer {key_in_force()}", "X-Forwarded-Proto": "https"}


def test_every_operation_answers_as_its_document_says(app: Flask, headers) -> None:
    import schemathesis  # here: long to load
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_dict(json.loads(views.DOCUMENT.read_text("utf-8")))
    schema.app = app
    tried = []
    others = schema.exclude(path="/openapi.json")  # a file of ours, by no key
    for found in others.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def fuzz(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
            tried.append(case.operation.label)

        fuzz()
    assert len(set(tried)) == 6
    assert len(tried) > 6 * EXAMPLES // 2
