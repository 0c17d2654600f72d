"""The list of the ministry's employees and its upkeep."""

from appliance.telephony import directory
from appliance.telephony.directory import Entry


def test_an_employee_is_added_changed_and_switched_off(login_as) -> None:
    browser = login_as("manager")
    form = {"name": "Lola Rashidova", "number": "71 239 01 01", "department": "Bandlik"}
    assert browser.send("/directory", **form).status_code == 302
    (lola,) = directory.employees()
    assert "Lola Rashidova" in browser.get("/directory").text
    form |= {"hours": "09:00-18:00", "active": "1"}
    assert browser.send(f"/directory/{lola.id}", **form).status_code == 302
    assert directory.employees()[0].hours == "09:00-18:00"
    del form["active"]
    browser.send(f"/directory/{lola.id}", **form)
    assert directory.employees() == []
    assert "Lola Rashidova" in browser.get("/directory").text


def test_what_is_wrong_is_said_and_what_was_typed_stays(login_as) -> None:
    browser = login_as("technician")
    page = browser.refused(browser.send("/directory", name="Lola", number="abc"))
    assert 'value="abc"' in page
    assert 'role="alert"' in page


def test_one_searches_in_any_script(login_as) -> None:
    directory.save(Entry("Lola Rashidova", "712390101"), "rustam")
    directory.save(Entry("Murod Eshonqulov", "712390102"), "rustam")
    page = login_as("technician").get("/directory?q=лола").text
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    assert "Lola" in body
    assert "Murod" not in body
