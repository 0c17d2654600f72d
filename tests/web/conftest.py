"""Fixtures: departments, and a function that registers appeals."""

import pytest

from appliance.casework import departments
from appliance.models import Appeal, Department
from tests.rig.appeals import FULL_FORM, add_labour_department, create_appeal


@pytest.fixture
def labour(settings) -> Department:
    """The department for subsidies."""
    return add_labour_department()


@pytest.fixture
def law(settings) -> Department:
    """Another department."""
    return departments.add_department(
        {"name_uz_latn": "Yuridik boʻlim"}, own_body=False, actor="sherzod"
    )


@pytest.fixture
def register(settings, nilufar, labour):
    """Register an appeal as Nilufar and return it."""

    def register_appeal(**values: str) -> Appeal:
        return create_appeal(settings, nilufar, FULL_FORM | values)

    return register_appeal
