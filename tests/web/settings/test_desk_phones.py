"""Desk phones: the page where they are written down, and what they fetch without a login."""

import dataclasses
import re
from pathlib import Path

import pytest

from appliance.models import AuditEntry, User
from appliance.telephony import desk_phones, directory

MAC = "001565a1b2c3"
TYPED = {"make": "yealink", "mac": "00:15:65:A1:B2:C3"}


@pytest.fixture
def app(app):
    """The pages of a box that has a certificate to show to phones."""
    site = app.config["SITE"]
    shown = {"certificate": Path("server.pem"), "certificate_key": Path("server.key")}
    own = dataclasses.replace(site.asterisk, **shown)
    app.config["SITE"] = dataclasses.replace(site, asterisk=own)
    return app


@pytest.fixture
def address(login_as, nilufar) -> str:
    """The path of the set-up address of Nilufar's phone."""
    browser = login_as("technician")
    browser.send(f"/people/phones/{nilufar.id}", **TYPED)
    return path(browser.send(f"/people/phones/{nilufar.id}/address").text)


def path(page: str) -> str:
    shown = re.search(r'id="address">\s*([^<]+?)\s*<', page)
    return re.sub("^(https://)?[^/]+", "", shown[1]) if shown else ""


@pytest.mark.parametrize("role", ["technician", "manager"])
def test_a_phone_is_written_down_and_its_address_is_shown_once(role, login_as, nilufar) -> None:
    browser = login_as(role)
    there = f"/people/phones/{nilufar.id}"
    assert there in browser.get("/people/phones").text
    assert there in browser.get(f"/people/{nilufar.id}").text
    assert browser.send(there, **TYPED).status_code == 302
    assert MAC in browser.get("/people/phones/list").text
    answer = browser.send(f"{there}/address")
    assert answer.headers["Cache-Control"] == "no-store"
    token = path(answer.text).split("/")[2]
    assert len(token) == 32
    assert "<svg" in answer.text
    assert "style=" not in answer.text
    page = browser.get(there).text
    assert "data-live" in page
    assert token not in page
    assert desk_phones.waits(desk_phones.of(nilufar))


def test_what_is_wrong_is_said_and_what_was_typed_stays(login_as, nilufar) -> None:
    browser = login_as("technician")
    there = f"/people/phones/{nilufar.id}"
    page = browser.refused(browser.send(there, make="fanvil", mac="00:15:zz"))
    assert 'role="alert"' in page
    assert 'value="00:15:zz"' in page
    assert re.search('<option value="fanvil" selected', page)
    page = browser.refused(browser.send(f"{there}/address"))
    assert 'role="alert"' in page


def test_a_removed_phone_is_off_the_list(login_as, nilufar, address) -> None:
    browser = login_as("technician")
    browser.send(f"/people/phones/{nilufar.id}/remove")
    assert desk_phones.of(nilufar) is None
    assert MAC not in browser.get("/people/phones/list").text


def test_the_phone_fetches_its_file_once(client, address, nilufar) -> None:
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


def test_a_stranger_gets_nothing(client, address, nilufar) -> None:
    before = User.get_by_id(nilufar.id).sip_password
    other = {"User-Agent": "Yealink SIP-T46S 66.86.0.15 001565ffffff"}
    for there, headers in (
        (f"/phones/{MAC}/{MAC}.cfg", {}),
        (f"{address}001565ffffff.cfg", {}),
        (f"{address}{MAC}.cfg", other),
        (f"{address}phonebook.xml", {}),
    ):
        answer = client.get(there, headers=headers)
        assert (answer.status_code, answer.text) == (404, "")
    assert User.get_by_id(nilufar.id).sip_password == before


def test_the_phone_book_needs_the_address_in_the_file(client, address) -> None:
    directory.save(directory.Entry("Lola", "+998712390101"), "rustam")
    text = client.get(f"{address}{MAC}.cfg").text
    book = re.search(r"^remote_phonebook.data.1.url = https://[^/]+(\S+)$", text, re.MULTILINE)
    answer = client.get(book[1])
    assert answer.mimetype == "text/xml"
    assert "+998712390101" in answer.text


def test_who_asks_too_often_is_turned_away(client, address) -> None:
    codes = [client.get(f"/phones/none/{number}.cfg").status_code for number in range(31)]
    assert codes == [404] * 30 + [429]
    assert client.get(f"{address}{MAC}.cfg").status_code == 429
