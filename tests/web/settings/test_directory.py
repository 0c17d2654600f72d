"""The list of the ministry's employees and its editing."""

from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry


def test_employee_can_be_added_changed_and_deactivated(login_as) -> None:
    browser = login_as("manager")
    form = {"name": "Lola Rashidova", "number": "71 239 01 01", "department": "Bandlik"}
    assert browser.send("/directory", **form).status_code == 302
    (lola,) = directory.list_employees()
    assert "Lola Rashidova" in browser.get("/directory").text
    form |= {"hours": "09:00-18:00", "active": "1"}
    assert browser.send(f"/directory/{lola.id}", **form).status_code == 302
    assert directory.list_employees()[0].hours == "09:00-18:00"
    del form["active"]
    browser.send(f"/directory/{lola.id}", **form)
    assert directory.list_employees() == []
    assert "Lola Rashidova" in browser.get("/directory").text


def test_invalid_employee_is_reported_and_typed_values_are_kept(login_as) -> None:
    browser = login_as("technician")
    page = browser.refused_page(browser.send("/directory", name="Lola", number="abc"))
    assert 'value="abc"' in page
    assert 'role="alert"' in page


def test_search_works_in_any_script(login_as) -> None:
    directory.save_employee(DirectoryEntry("Lola Rashidova", "712390101"), "rustam")
    directory.save_employee(DirectoryEntry("Murod Eshonqulov", "712390102"), "rustam")
    page = login_as("technician").get("/directory?q=лола").text
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    assert "Lola" in body
    assert "Murod" not in body
