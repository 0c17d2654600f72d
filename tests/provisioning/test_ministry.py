"""The local site's departments."""

import pytest

from appliance.casework import catalogs, departments
from provisioning.local import ministry


@pytest.mark.usefixtures("settings")
def test_they_are_made_once_and_get_directions_of_the_list():
    assert ministry.create() == len(departments.departments())
    assert ministry.create() == 0
    listed = {code for code, _name in catalogs.choices("direction", "ru")}
    assert listed - set(departments.routes()) == {"medical_social", "other"}
    assert set(departments.routes()) <= listed
