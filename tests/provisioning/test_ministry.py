"""The departments of the local site."""

import pytest

from appliance.casework import catalogs, departments
from provisioning.local import ministry


@pytest.mark.usefixtures("settings")
def test_departments_are_created_once_and_receive_listed_directions():
    assert ministry.create_departments() == len(departments.list_departments())
    assert ministry.create_departments() == 0
    listed = {code for code, _name in catalogs.item_choices("direction", "ru")}
    assert listed - set(departments.department_ids_by_direction()) == {"medical_social", "other"}
    assert set(departments.department_ids_by_direction()) <= listed
