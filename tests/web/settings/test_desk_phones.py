"""Desk phones: the page on which they are registered, and what they fetch without a login."""

import dataclasses
import re
from pathlib import Path

import pytest

from appliance.models import AuditEntry, User
from appliance.telephony import desk_phones, directory

MAC = "001565a1b2c3"
PHONE_FIELDS = {"make": "yealink", "mac": "00:15:65:A1:B2:C3"}


@pytest.fixture
def app(app):
    """The pages of an appliance that has a certificate to present to phones."""
    site = app.config["SITE"]
    certificate_paths = {"certificate": Path("server.pem"), "certificate_key": Path("server.key")}
    asterisk_settings = dataclasses.replace(site.asterisk, **certificate_paths)
    app.config["SITE"] = dataclasses.replace(site, asterisk=asterisk_settings)
    return app


@pytest.fixture
def address(login_as, nilufar) -> str:
    """The path of the set-up address of Nilufar's phone."""
    browser = login_as("technician")
    browser.send(f"/people/phones/{nilufar.id}", **PHONE_FIELDS)
    return address_path(browser.send(f"/people/phones/{nilufar.id}/address").text)


def address_path(page: str) -> str:
    match = re.search(r'id="address">\s*([^<]+?)\s*<', page)
    return re.sub("^(https://)?[^/]+", "", match[1]) if match else ""


@pytest.mark.parametrize("role", ["technician", "manager"])
def test_phone_is_registered_and_its_address_is_shown_once(role, login_as, nilufar) -> None:
    browser = login_as(role)
    phone_url = f"/people/phones/{nilufar.id}"
    assert phone_url in browser.get("/people/phones").text
    assert phone_url in browser.get(f"/people/{nilufar.id}").text
    assert browser.send(phone_url, **PHONE_FIELDS).status_code == 302
    assert MAC in browser.get("/people/phones/list").text
    answer = browser.send(f"{phone_url}/address")
    assert answer.headers["Cache-Control"] == "no-store"
    token = address_path(answer.text).split("/")[2]
    assert len(token) == 32
    assert "<svg" in answer.text
    assert "style=" not in answer.text
    page = browser.get(phone_url).text
    assert "data-live" in page
    assert token not in page
    assert desk_phones.is_setup_pending(desk_phones.phone_of_user(nilufar))


def test_invalid_phone_is_reported_and_typed_values_are_kept(login_as, nilufar) -> None:
    browser = login_as("technician")
    phone_url = f"/people/phones/{nilufar.id}"
    page = browser.refused_page(browser.send(phone_url, make="fanvil", mac="00:15:zz"))
    assert 'role="alert"' in page
    assert 'value="00:15:zz"' in page
    assert re.search('<option value="fanvil" selected', page)
    page = browser.refused_page(browser.send(f"{phone_url}/address"))
    assert 'role="alert"' in page


def test_removed_phone_is_not_listed(login_as, nilufar, address) -> None:
    browser = login_as("technician")
    browser.send(f"/people/phones/{nilufar.id}/remove")
    assert desk_phones.phone_of_user(nilufar) is None
    assert MAC not in browser.get("/people/phones/list").text


def test_phone_can_fetch_its_file_only_once(client, address, nilufar) -> None:
    file = f"{address}{MAC}.cfg"
    assert client.head(file).status_code == 405
    assert client.get(f"{address}y000000000044.cfg").status_code == 404
    answer = client.get(file, headers={"User-Agent": f"Yealink SIP-T46S 66.86.0.15 {MAC}"})
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert answer.headers["Cache-Control"] == "no-store"
    password = User.get_by_id(nilufar.id).sip_password
    assert f"account.1.password = {password}\n" in answer.text
    again = client.get(file)
    assert (again.status_code, again.text) == (404, "")
    row = AuditEntry.get(AuditEntry.action == "phone.set_up")
    assert (row.who, row.subject) == (f"phone:{MAC}", "nilufar")


def test_unknown_phone_or_path_is_not_found(client, address, nilufar) -> None:
    before = User.get_by_id(nilufar.id).sip_password
    other = {"User-Agent": "Yealink SIP-T46S 66.86.0.15 001565ffffff"}
    for request_path, headers in (
        (f"/phones/{MAC}/{MAC}.cfg", {}),
        (f"{address}001565ffffff.cfg", {}),
        (f"{address}{MAC}.cfg", other),
        (f"{address}phonebook.xml", {}),
    ):
        answer = client.get(request_path, headers=headers)
        assert (answer.status_code, answer.text) == (404, "")
    assert User.get_by_id(nilufar.id).sip_password == before


def test_phone_book_is_served_at_the_address_in_the_file(client, address) -> None:
    directory.save_employee(directory.DirectoryEntry("Lola", "+998712390101"), "rustam")
    text = client.get(f"{address}{MAC}.cfg").text
    book = re.search(r"^remote_phonebook.data.1.url = https://[^/]+(\S+)$", text, re.MULTILINE)
    answer = client.get(book[1])
    assert answer.mimetype == "text/xml"
    assert "+998712390101" in answer.text


def test_too_frequent_requests_are_rejected(client, address) -> None:
    codes = [client.get(f"/phones/none/{number}.cfg").status_code for number in range(31)]
    assert codes == [404] * 30 + [429]
    assert client.get(f"{address}{MAC}.cfg").status_code == 429
