"""Phones on desks: whose is which, who gets the settings of one, and what stands in them."""

import dataclasses
import datetime as dt
from pathlib import Path
from xml.etree import ElementTree

import pytest

from appliance.core import clock
from appliance.core.settings import Settings
from appliance.models import AuditEntry, DeskPhone, User
from appliance.people import accounts, staff
from appliance.telephony import desk_phones, directory
from appliance.telephony.desk_phones import PhoneError, Refused

MAC = "001565a1b2c3"
AGENTS = {
    "yealink": "Yealink SIP-T46S 66.86.0.15 00:15:65:a1:b2:c3",
    "grandstream": "Grandstream Model HW GXP2170 SW 1.0.11.79 DevId 001565a1b2c3",
    "fanvil": "Fanvil X5U 2.4.10 001565a1b2c3",
}
FILES = {"yealink": f"{MAC}.cfg", "grandstream": f"cfg{MAC}.xml", "fanvil": f"{MAC}.cfg"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A box that has a certificate to show to phones."""
    shown = {"certificate": Path("server.pem"), "certificate_key": Path("server.key")}
    return dataclasses.replace(
        settings, asterisk=dataclasses.replace(settings.asterisk, address="10.1.2.3", **shown)
    )


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314  our own


def given(settings: Settings, user: User, make: str = "yealink") -> desk_phones.Given:
    desk_phones.save(user, make, MAC, settings, None)
    return desk_phones.give_address(user, settings, None)


def token(address: str) -> str:
    return address.rstrip("/").rpartition("/")[2]


def take(settings: Settings, address: str, **changed: str) -> str:
    asked = {"name": FILES["yealink"], "agent": AGENTS["yealink"], "address": "10.1.2.50"} | changed
    return desk_phones.take(asked.pop("token", token(address)), settings=settings, **asked)


def why(settings: Settings, address: str, **changed: str) -> str:
    with pytest.raises(Refused) as refused:
        take(settings, address, **changed)
    return refused.value.code


def test_a_yealink_is_told_all_it_needs(settings, nilufar) -> None:
    staff.change(nilufar, dataclasses.replace(staff.entry(nilufar), name="Oʻgʻiloy Maʼmur"), None)
    one = given(settings, nilufar)
    text = take(settings, one.address)
    assert text.startswith("#!version:1.0.0.1\n")
    lines = [line.split(" = ", 1) for line in text.splitlines()[1:]]
    told = dict(lines)
    password = User.get_by_id(nilufar.id).sip_password
    account = {name: told[f"account.1.{name}"] for name in ("user_name", "auth_name", "password")}
    assert account == {"user_name": "1001", "auth_name": "1001", "password": password}
    assert told["account.1.display_name"] == "O'g'iloy Ma'mur"
    server = ("sip_server.1.address", "sip_server.1.port", "sip_server.1.transport_type")
    assert [told[f"account.1.{name}"] for name in server] == ["10.1.2.3", "5061", "2"]
    assert told["account.1.srtp_encryption"] == "2"
    assert (told["account.1.dtmf.type"], told["account.1.dtmf.dtmf_payload"]) == ("1", "101")
    assert (told["local_time.time_zone"], told["local_time.ntp_server1"]) == ("+5", "10.1.2.3")
    assert told["lang.gui"] == "Russian"
    web = [value for name, value in lines if name == "static.security.user_password"]
    assert web == [f"admin:{one.web_password}", f"user:{one.web_password}"]
    assert told["static.auto_provision.server.url"] == "%NULL%"
    assert told["remote_phonebook.data.1.name"] == "Справочник сотрудников"
    assert token(one.address) not in text


def test_a_grandstream_is_told_all_it_needs(settings, nilufar) -> None:
    one = given(settings, nilufar, "grandstream")
    text = take(settings, one.address, name=FILES["grandstream"], agent=AGENTS["grandstream"])
    root = parsed(text)
    told = {value.tag: value.text for value in root.find("config")}
    assert (root.tag, root.find("mac").text) == ("gs_provision", MAC)
    password = User.get_by_id(nilufar.id).sip_password
    assert [told[p] for p in ("P47", "P35", "P36", "P34")] == [
        *("10.1.2.3:5061", "1001", "1001", password)
    ]
    assert [told[p] for p in ("P130", "P183", "P2302", "P79")] == ["2", "2", "1", "101"]
    assert [told[p] for p in ("P57", "P58", "P59")] == ["8", "0", "9"]
    assert [told[p] for p in ("P30", "P64", "P246")] == ["10.1.2.3", "customize", "LOC-5"]
    assert told["P2"] == told["P196"] == one.web_password
    assert (told["P330"], told["P237"]) == ("3", None)
    host, _, book = told["P331"].partition("/phones/")
    assert settings.web.url == f"https://{host}"
    assert desk_phones.phone_book(book, AGENTS["grandstream"])


def test_a_fanvil_is_told_all_it_needs(settings, nilufar) -> None:
    one = given(settings, nilufar, "fanvil")
    root = parsed(take(settings, one.address, agent=AGENTS["fanvil"]))
    line = {value.tag: value.text for value in root.find("sip/line[@index='1']")}
    password = User.get_by_id(nilufar.id).sip_password
    names = ("PhoneNumber", "RegisterAddr", "RegisterPort", "RegisterUser", "RegisterPswd")
    assert [line[n] for n in names] == ["1001", "10.1.2.3", "5061", "1001", password]
    assert [line[n] for n in ("Transport", "MediaCrypto", "DTMFMode")] == ["3", "1", "1"]
    date = {value.tag: value.text for value in root.find("phone/date")}
    assert [date[n] for n in ("SNTPServer", "TimeZone", "TimeZoneName")] == [
        *("10.1.2.3", "20", "UTC+5")
    ]
    assert root.findtext("web/account[@index='1']/Password") == one.web_password
    assert root.findtext("phone/xmlContact/Addr").endswith("/phonebook.xml")


@pytest.mark.parametrize("make", desk_phones.MAKES)
def test_the_phone_book_is_the_directory(make, settings, nilufar) -> None:
    directory.save(directory.Entry("Aʼlo <Qodirov> & Co", "+998712390101"), "rustam")
    directory.save(directory.Entry("Off", "712390102", active=False), "rustam")
    text = take(
        settings, given(settings, nilufar, make).address, name=FILES[make], agent=AGENTS[make]
    )
    if make == "grandstream":
        path = parsed(text).findtext("config/P331") + "/phonebook.xml"
    else:
        path = text[: text.index("/phonebook.xml")]
    book = desk_phones.phone_book(path.removesuffix("/phonebook.xml").rpartition("/")[2], "")
    root = parsed(book)
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


def plainly(settings, *extensions: str):
    """The settings of a site with old phones: those named, or all."""
    place = dataclasses.replace(settings.asterisk, plain_phones=extensions or ("*",))
    return dataclasses.replace(settings, asterisk=place)


def test_every_phone_is_secure_but_those_that_cannot(settings, nilufar, sardor) -> None:
    both = {nilufar.extension, sardor.extension}
    assert desk_phones.secure(settings) >= both
    assert desk_phones.secure(plainly(settings, nilufar.extension)) & both == {sardor.extension}
    assert desk_phones.secure(plainly(settings)) == set()
    place = dataclasses.replace(settings.asterisk, certificate=None)
    assert desk_phones.secure(dataclasses.replace(settings, asterisk=place)) == set()


def test_an_address_gives_the_settings_once(settings, nilufar) -> None:
    before, plain = nilufar.sip_password, plainly(settings)
    one = given(settings, nilufar)
    assert desk_phones.waits(one.phone)
    assert User.get_by_id(nilufar.id).sip_password == before
    assert desk_phones.secure(plain) == set()
    take(settings, one.address)
    phone, password = desk_phones.of(nilufar), User.get_by_id(nilufar.id).sip_password
    assert password != before
    assert phone.set_up_from == "10.1.2.50"
    assert not desk_phones.waits(phone)
    assert desk_phones.secure(plain) == {"1001"}
    assert why(settings, one.address) == "used"
    assert User.get_by_id(nilufar.id).sip_password == password
    again = desk_phones.give_address(nilufar, settings, None)
    assert take(settings, again.address)
    assert User.get_by_id(nilufar.id).sip_password != password


def test_a_stranger_gets_nothing(settings, nilufar) -> None:
    one = given(settings, nilufar)
    before = User.get_by_id(nilufar.id).sip_password
    assert why(settings, one.address, token="") == "token"
    assert why(settings, one.address, token=MAC) == "token"
    assert why(settings, one.address, name="001565ffffff.cfg") == "mac"
    assert why(settings, one.address, agent="Yealink SIP-T46S 66.86.0.15 001565ffffff") == "mac"
    for common in ("y000000000044.cfg", "y000000000000.boot", f"{MAC}.boot", f"cfg{MAC}.xml"):
        assert why(settings, one.address, name=common) == "file"
    replaced = desk_phones.give_address(nilufar, settings, None)
    assert why(settings, one.address) == "token"
    accounts.disable(nilufar, "sherzod")
    assert why(settings, replaced.address) == "closed"
    assert User.get_by_id(nilufar.id).sip_password == before
    assert DeskPhone.get().set_up_at is None


def test_an_address_ends(settings, nilufar, monkeypatch) -> None:
    one = given(settings, nilufar)
    late = clock.now() + desk_phones.VALID + dt.timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert why(settings, one.address) == "ended"


def test_a_phone_that_does_not_say_its_mac_is_known_by_its_file(settings, nilufar) -> None:
    assert take(settings, given(settings, nilufar).address, agent="")


def test_what_was_done_is_in_the_audit_and_no_secret(settings, nilufar, rustam) -> None:
    desk_phones.save(nilufar, "yealink", "00:15:65:A1:B2:C3", settings, rustam)
    one = desk_phones.give_address(nilufar, settings, rustam)
    why(settings, one.address, name="001565ffffff.cfg")
    take(settings, one.address)
    why(settings, one.address)
    desk_phones.remove(nilufar, rustam)
    rows = list(AuditEntry.select().where(AuditEntry.action.startswith("phone.")))
    assert [(row.who, row.action) for row in rows] == [
        ("rustam", "phone.save"),
        ("rustam", "phone.address"),
        (f"phone:{MAC}", "phone.refused"),
        (f"phone:{MAC}", "phone.set_up"),
        (f"phone:{MAC}", "phone.refused"),
        ("rustam", "phone.remove"),
    ]
    assert [row.detail["why"] for row in rows if row.action == "phone.refused"] == ["mac", "used"]
    kept = str([row.detail for row in rows]) + str(list(DeskPhone.select().dicts()))
    password = User.get_by_id(nilufar.id).sip_password
    assert not any(secret in kept for secret in (token(one.address), one.web_password, password))


def test_another_phone_shuts_the_former_one_out(settings, nilufar) -> None:
    take(settings, given(settings, nilufar).address)
    password = User.get_by_id(nilufar.id).sip_password
    desk_phones.save(nilufar, "yealink", MAC, settings, None)
    assert User.get_by_id(nilufar.id).sip_password == password
    desk_phones.save(nilufar, "fanvil", "0c383e00aa01", settings, None)
    assert User.get_by_id(nilufar.id).sip_password != password
    assert desk_phones.secure(plainly(settings)) == set()


def test_what_cannot_be_written_down(settings, nilufar, sardor, dilnoza, rustam) -> None:
    def code(user: User, make: str = "yealink", mac: str = MAC, by: User | None = None) -> str:
        with pytest.raises(PhoneError) as refused:
            desk_phones.save(user, make, mac, settings, by)
        return refused.value.code

    assert code(nilufar, make="cisco") == "make"
    assert code(nilufar, mac="0015") == "mac"
    assert code(dilnoza) == "extension"
    assert code(nilufar, by=sardor) == "rights"
    desk_phones.save(nilufar, "yealink", MAC, settings, rustam)
    assert code(sardor) == "taken"
    with pytest.raises(PhoneError, match="none"):
        desk_phones.give_address(sardor, settings, None)
    with pytest.raises(PhoneError, match="none"):
        desk_phones.remove(sardor, None)
    bare = dataclasses.replace(settings.asterisk, certificate=None)
    with pytest.raises(PhoneError, match="certificate"):
        desk_phones.save(
            sardor, "fanvil", "0c383e00aa01", dataclasses.replace(settings, asterisk=bare), None
        )
