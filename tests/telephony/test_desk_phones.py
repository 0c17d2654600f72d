"""Phones on desks: whose phone is whose, who gets a phone's settings, and what they contain."""

import dataclasses
import datetime as dt
from pathlib import Path
from xml.etree import ElementTree

import pytest

from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import AuditEntry, DeskPhone, User
from appliance.people import accounts, staff
from appliance.telephony import desk_phones, directory

MAC_ADDRESS = "001565a1b2c3"
AGENT_OF_MAKE = {
    "yealink": "Yealink SIP-T46S 66.86.0.15 00:15:65:a1:b2:c3",
    "grandstream": "Grandstream Model HW GXP2170 SW 1.0.11.79 DevId 001565a1b2c3",
    "fanvil": "Fanvil X5U 2.4.10 001565a1b2c3",
}
FILE_OF_MAKE = {
    "yealink": f"{MAC_ADDRESS}.cfg",
    "grandstream": f"cfg{MAC_ADDRESS}.xml",
    "fanvil": f"{MAC_ADDRESS}.cfg",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A box with a certificate that it presents to phones."""
    certificate_paths = {"certificate": Path("server.pem"), "certificate_key": Path("server.key")}
    return dataclasses.replace(
        settings,
        asterisk=dataclasses.replace(settings.asterisk, address="10.1.2.3", **certificate_paths),
    )


def parse_xml(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  our own


def prepare_phone(
    settings: Settings, user: User, make: str = "yealink"
) -> desk_phones.SetupAddress:
    desk_phones.save_phone(user, make, MAC_ADDRESS, settings, None)
    return desk_phones.create_setup_address(user, settings, None)


def token_of_address(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def fetch_settings(settings: Settings, address: str, **changed: str) -> str:
    arguments = {
        "name": FILE_OF_MAKE["yealink"],
        "agent": AGENT_OF_MAKE["yealink"],
        "address": "10.1.2.50",
    } | changed
    return desk_phones.fetch_settings(
        arguments.pop("token", token_of_address(address)), settings=settings, **arguments
    )


def refusal_code(settings: Settings, address: str, **changed: str) -> str:
    with pytest.raises(Refused) as refused:
        fetch_settings(settings, address, **changed)
    return refused.value.code


def test_a_yealink_gets_all_its_settings(settings, nilufar) -> None:
    staff.change_person(
        nilufar, dataclasses.replace(staff.entry_of_user(nilufar), name="Oʻgʻiloy Maʼmur"), None
    )
    setup = prepare_phone(settings, nilufar)
    text = fetch_settings(settings, setup.address)
    assert text.startswith("#!version:1.0.0.1\n")
    lines = [line.split(" = ", 1) for line in text.splitlines()[1:]]
    values = dict(lines)
    password = User.get_by_id(nilufar.id).sip_password
    account = {name: values[f"account.1.{name}"] for name in ("user_name", "auth_name", "password")}
    assert account == {"user_name": "1001", "auth_name": "1001", "password": password}
    assert values["account.1.display_name"] == "O'g'iloy Ma'mur"
    server = ("sip_server.1.address", "sip_server.1.port", "sip_server.1.transport_type")
    assert [values[f"account.1.{name}"] for name in server] == ["10.1.2.3", "5061", "2"]
    assert values["account.1.srtp_encryption"] == "2"
    assert (values["account.1.dtmf.type"], values["account.1.dtmf.dtmf_payload"]) == ("1", "101")
    assert (values["local_time.time_zone"], values["local_time.ntp_server1"]) == ("+5", "10.1.2.3")
    assert values["lang.gui"] == "Russian"
    web = [value for name, value in lines if name == "static.security.user_password"]
    assert web == [f"admin:{setup.web_password}", f"user:{setup.web_password}"]
    assert values["static.auto_provision.server.url"] == "%NULL%"
    assert values["remote_phonebook.data.1.name"] == "Справочник сотрудников"
    assert token_of_address(setup.address) not in text


def test_a_grandstream_gets_all_its_settings(settings, nilufar) -> None:
    setup = prepare_phone(settings, nilufar, "grandstream")
    text = fetch_settings(
        settings,
        setup.address,
        name=FILE_OF_MAKE["grandstream"],
        agent=AGENT_OF_MAKE["grandstream"],
    )
    root = parse_xml(text)
    values = {value.tag: value.text for value in root.find("config")}
    assert (root.tag, root.find("mac").text) == ("gs_provision", MAC_ADDRESS)
    password = User.get_by_id(nilufar.id).sip_password
    assert [values[p] for p in ("P47", "P35", "P36", "P34")] == [
        *("10.1.2.3:5061", "1001", "1001", password)
    ]
    assert [values[p] for p in ("P130", "P183", "P2302", "P79")] == ["2", "2", "1", "101"]
    assert [values[p] for p in ("P57", "P58", "P59")] == ["8", "0", "9"]
    assert [values[p] for p in ("P30", "P64", "P246")] == ["10.1.2.3", "customize", "LOC-5"]
    assert values["P2"] == values["P196"] == setup.web_password
    assert (values["P330"], values["P237"]) == ("3", None)
    host, _, book = values["P331"].partition("/phones/")
    assert settings.web.url == f"https://{host}"
    assert desk_phones.phone_book(book, AGENT_OF_MAKE["grandstream"])


def test_a_fanvil_gets_all_its_settings(settings, nilufar) -> None:
    setup = prepare_phone(settings, nilufar, "fanvil")
    root = parse_xml(fetch_settings(settings, setup.address, agent=AGENT_OF_MAKE["fanvil"]))
    line = {value.tag: value.text for value in root.find("sip/line[@index='1']")}
    password = User.get_by_id(nilufar.id).sip_password
    names = ("PhoneNumber", "RegisterAddr", "RegisterPort", "RegisterUser", "RegisterPswd")
    assert [line[n] for n in names] == ["1001", "10.1.2.3", "5061", "1001", password]
    assert [line[n] for n in ("Transport", "MediaCrypto", "DTMFMode")] == ["3", "1", "1"]
    date = {value.tag: value.text for value in root.find("phone/date")}
    assert [date[n] for n in ("SNTPServer", "TimeZone", "TimeZoneName")] == [
        *("10.1.2.3", "20", "UTC+5")
    ]
    assert root.findtext("web/account[@index='1']/Password") == setup.web_password
    assert root.findtext("phone/xmlContact/Addr").endswith("/phonebook.xml")


@pytest.mark.parametrize("make", desk_phones.PHONE_MAKERS)
def test_the_phone_book_lists_the_directory(make, settings, nilufar) -> None:
    directory.save_employee(
        directory.DirectoryEntry("Aʼlo <Qodirov> & Co", "+998712390101"), "rustam"
    )
    directory.save_employee(directory.DirectoryEntry("Off", "712390102", active=False), "rustam")
    text = fetch_settings(
        settings,
        prepare_phone(settings, nilufar, make).address,
        name=FILE_OF_MAKE[make],
        agent=AGENT_OF_MAKE[make],
    )
    if make == "grandstream":
        path = parse_xml(text).findtext("config/P331") + "/phonebook.xml"
    else:
        path = text[: text.index("/phonebook.xml")]
    book = desk_phones.phone_book(path.removesuffix("/phonebook.xml").rpartition("/")[2], "")
    root = parse_xml(book)
    assert (
        root.tag
        == {
            "yealink": "YealinkIPPhoneDirectory",
            "grandstream": "AddressBook",
            "fanvil": "FanvilIPPhoneDirectory",
        }[make]
    )
    texts = [value.text for value in root.iter() if value.text and value.text.strip()]
    assert texts[:2] == ["A'lo <Qodirov> & Co", "+998712390101"]
    assert "Off" not in book


def with_plain_phones(settings, *extensions: str):
    """Return the settings of a site with old phones: the given extensions, or all."""
    place = dataclasses.replace(settings.asterisk, plain_phones=extensions or ("*",))
    return dataclasses.replace(settings, asterisk=place)


def test_every_phone_is_secure_except_old_ones(settings, nilufar, sardor) -> None:
    extensions = {nilufar.extension, sardor.extension}
    assert desk_phones.secure_extensions(settings) >= extensions
    assert desk_phones.secure_extensions(
        with_plain_phones(settings, nilufar.extension)
    ) & extensions == {sardor.extension}
    assert desk_phones.secure_extensions(with_plain_phones(settings)) == set()
    place = dataclasses.replace(settings.asterisk, certificate=None)
    assert desk_phones.secure_extensions(dataclasses.replace(settings, asterisk=place)) == set()


def test_an_address_delivers_the_settings_once(settings, nilufar) -> None:
    before, plain = nilufar.sip_password, with_plain_phones(settings)
    setup = prepare_phone(settings, nilufar)
    assert desk_phones.is_setup_pending(setup.phone)
    assert User.get_by_id(nilufar.id).sip_password == before
    assert desk_phones.secure_extensions(plain) == set()
    fetch_settings(settings, setup.address)
    phone, password = desk_phones.phone_of_user(nilufar), User.get_by_id(nilufar.id).sip_password
    assert password != before
    assert phone.set_up_from == "10.1.2.50"
    assert not desk_phones.is_setup_pending(phone)
    assert desk_phones.secure_extensions(plain) == {"1001"}
    assert refusal_code(settings, setup.address) == "used"
    assert User.get_by_id(nilufar.id).sip_password == password
    second_setup = desk_phones.create_setup_address(nilufar, settings, None)
    assert fetch_settings(settings, second_setup.address)
    assert User.get_by_id(nilufar.id).sip_password != password


def test_a_stranger_gets_no_settings(settings, nilufar) -> None:
    setup = prepare_phone(settings, nilufar)
    before = User.get_by_id(nilufar.id).sip_password
    assert refusal_code(settings, setup.address, token="") == "token"
    assert refusal_code(settings, setup.address, token=MAC_ADDRESS) == "token"
    assert refusal_code(settings, setup.address, name="001565ffffff.cfg") == "mac"
    assert (
        refusal_code(settings, setup.address, agent="Yealink SIP-T46S 66.86.0.15 001565ffffff")
        == "mac"
    )
    for common in (
        "y000000000044.cfg",
        "y000000000000.boot",
        f"{MAC_ADDRESS}.boot",
        f"cfg{MAC_ADDRESS}.xml",
    ):
        assert refusal_code(settings, setup.address, name=common) == "file"
    replaced = desk_phones.create_setup_address(nilufar, settings, None)
    assert refusal_code(settings, setup.address) == "token"
    accounts.disable_account(nilufar, "sherzod")
    assert refusal_code(settings, replaced.address) == "closed"
    assert User.get_by_id(nilufar.id).sip_password == before
    assert DeskPhone.get().set_up_at is None


def test_an_address_expires(settings, nilufar, monkeypatch) -> None:
    setup = prepare_phone(settings, nilufar)
    late = clock.now() + desk_phones.ADDRESS_VALIDITY + dt.timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert refusal_code(settings, setup.address) == "ended"


def test_a_phone_that_sends_no_mac_is_recognised_by_its_file(settings, nilufar) -> None:
    assert fetch_settings(settings, prepare_phone(settings, nilufar).address, agent="")


def test_the_audit_records_the_actions_without_secrets(settings, nilufar, rustam) -> None:
    desk_phones.save_phone(nilufar, "yealink", "00:15:65:A1:B2:C3", settings, rustam)
    setup = desk_phones.create_setup_address(nilufar, settings, rustam)
    refusal_code(settings, setup.address, name="001565ffffff.cfg")
    fetch_settings(settings, setup.address)
    refusal_code(settings, setup.address)
    desk_phones.remove_phone(nilufar, rustam)
    rows = list(AuditEntry.select().where(AuditEntry.action.startswith("phone.")))
    assert [(row.who, row.action) for row in rows] == [
        ("rustam", "phone.save"),
        ("rustam", "phone.address"),
        (f"phone:{MAC_ADDRESS}", "phone.refused"),
        (f"phone:{MAC_ADDRESS}", "phone.set_up"),
        (f"phone:{MAC_ADDRESS}", "phone.refused"),
        ("rustam", "phone.remove"),
    ]
    assert [row.detail["why"] for row in rows if row.action == "phone.refused"] == ["mac", "used"]
    stored_text = str([row.detail for row in rows]) + str(list(DeskPhone.select().dicts()))
    password = User.get_by_id(nilufar.id).sip_password
    assert not any(
        secret in stored_text
        for secret in (token_of_address(setup.address), setup.web_password, password)
    )


def test_another_phone_locks_out_the_former_one(settings, nilufar) -> None:
    fetch_settings(settings, prepare_phone(settings, nilufar).address)
    password = User.get_by_id(nilufar.id).sip_password
    desk_phones.save_phone(nilufar, "yealink", MAC_ADDRESS, settings, None)
    assert User.get_by_id(nilufar.id).sip_password == password
    desk_phones.save_phone(nilufar, "fanvil", "0c383e00aa01", settings, None)
    assert User.get_by_id(nilufar.id).sip_password != password
    assert desk_phones.secure_extensions(with_plain_phones(settings)) == set()


def test_invalid_phones_are_refused_with_a_code(settings, nilufar, sardor, dilnoza, rustam) -> None:
    def error_code(
        user: User, make: str = "yealink", mac: str = MAC_ADDRESS, by: User | None = None
    ) -> str:
        with pytest.raises(Refused) as refused:
            desk_phones.save_phone(user, make, mac, settings, by)
        return refused.value.code

    assert error_code(nilufar, make="cisco") == "make"
    assert error_code(nilufar, mac="0015") == "mac"
    assert error_code(dilnoza) == "extension"
    assert error_code(nilufar, by=sardor) == "rights"
    desk_phones.save_phone(nilufar, "yealink", MAC_ADDRESS, settings, rustam)
    assert error_code(sardor) == "taken"
    with pytest.raises(Refused, match="none"):
        desk_phones.create_setup_address(sardor, settings, None)
    with pytest.raises(Refused, match="none"):
        desk_phones.remove_phone(sardor, None)
    bare = dataclasses.replace(settings.asterisk, certificate=None)
    with pytest.raises(Refused, match="certificate"):
        desk_phones.save_phone(
            sardor, "fanvil", "0c383e00aa01", dataclasses.replace(settings, asterisk=bare), None
        )
