"""Departments, and appeals as they are registered."""

import pytest

from appliance.casework import appeals, catalogs, departments
from appliance.models import Appeal, Department
from tests.casework.test_appeals import FULL


@pytest.fixture
def labour(settings) -> Department:
    """The department for subsidies."""
    made = departments.add({"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, by="sherzod")
    departments.send_direction("subsidies", made.id, by="sherzod")
    return made


@pytest.fixture
def law(settings) -> Department:
    """Another department."""
    return departments.add({"name_uz_latn": "Yuridik boʻlim"}, own_body=False, by="sherzod")


@pytest.fixture
def register(settings, nilufar, labour):
    """Register an appeal as Nilufar; gives it back."""

    def registered(**values: str) -> Appeal:
        return appeals.register(
            FULL | values,
            operator=nilufar,
            token=appeals.token_for(nilufar, None),
            tz=settings.tz,
            calendar=catalogs.working_calendar(settings),
        )

    return registered
