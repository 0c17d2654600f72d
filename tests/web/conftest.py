"""Fixtures: departments, and a function that registers appeals."""

import pytest

from appliance.casework import appeals, catalogs, departments
from appliance.models import Appeal, Department
from tests.casework.test_appeals import FULL_FORM


@pytest.fixture
def labour(settings) -> Department:
    """The department for subsidies."""
    department = departments.add_department(
        {"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, actor="sherzod"
    )
    departments.route_direction("subsidies", department.id, actor="sherzod")
    return department


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
        return appeals.register(
            FULL_FORM | values,
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=settings.tz,
            calendar=catalogs.working_calendar(settings),
        )

    return register_appeal
