"""Grandstream GXP and GRP: cfgMAC.xml, numbered values (configuration templates of the makers)."""

from urllib.parse import urlsplit
from xml.etree import ElementTree

from appliance.telephony.desk_phones.make import (
    BOOK,
    EVENTS,
    EXPIRES,
    LANGUAGE,
    Entries,
    Setup,
    add,
    plain,
    written,
)

_TLS, _FORCED, _HTTPS_UPGRADE, _HTTPS_BOOK = 2, 2, 2, 3
_ALAW, _ULAW, _G722 = 8, 0, 9
_EVERY = 720  # minutes between two looks at the phone book, the longest


def file_name(mac: str) -> str:
    """The file that the phone of this MAC asks for."""
    return f"cfg{mac}.xml"


def settings_file(setup: Setup) -> str:
    """Its text; beside each number what it is called on the phone's web page."""
    book = urlsplit(setup.book)
    values: dict[str, object] = {
        "P271": 1,  # account active
        "P270": setup.extension,  # account name
        "P47": f"{setup.server}:{setup.port}",  # SIP server
        "P35": setup.extension,  # SIP user id
        "P36": setup.extension,  # authenticate id
        "P34": setup.password,  # authenticate password
        "P3": plain(setup.name),  # name
        "P32": EXPIRES // 60,  # register expiration, minutes
        "P130": _TLS,  # SIP transport
        "P2329": 0,  # URI scheme when using TLS: sip
        "P2331": 1,  # actual ephemeral port in contact
        "P183": _FORCED,  # SRTP mode
        "P2301": 0,  # DTMF in audio
        "P2302": 1,  # DTMF by RFC 4733
        "P2303": 0,  # DTMF by SIP INFO
        "P79": EVENTS,  # DTMF payload type
        **{"P57": _ALAW, "P58": _ULAW, "P59": _G722},  # preferred vocoders
        **dict.fromkeys(("P60", "P61", "P62", "P46"), _ALAW),
        "P30": setup.server,  # NTP server
        "P144": 0,  # DHCP option 42 overrides it
        "P64": "customize",  # time zone
        "P246": f"LOC{-setup.hours:+}",  # self-defined time zone, as POSIX has it
        "P143": 0,  # DHCP option 2 overrides it
        "P1362": LANGUAGE[0],  # display language
        "P330": _HTTPS_BOOK,  # phone book download
        "P331": book.netloc + book.path.removesuffix(f"/{BOOK}"),  # its server path
        "P332": _EVERY,
        "P333": 0,  # remove manually edited entries
        "P2": setup.web_password,  # admin password
        "P196": setup.web_password,  # user password
        # The address is used up: the phone asks nobody again.
        "P212": _HTTPS_UPGRADE,
        "P237": "",  # config server path
        "P194": 0,  # automatic upgrade
        "P145": 0,  # DHCP options 43 and 66 override the server
    }
    root = ElementTree.Element("gs_provision", version="1")
    add(root, mac=setup.mac)
    add(ElementTree.SubElement(root, "config", version="1"), **values)
    return written(root)


def phone_book(entries: Entries) -> str:
    """The directory."""
    root = ElementTree.Element("AddressBook")
    for name, number in entries:
        contact = ElementTree.SubElement(root, "Contact")
        add(contact, LastName=plain(name))
        phone = ElementTree.SubElement(contact, "Phone", type="Work")
        add(phone, phonenumber=number, accountindex=1)
    return written(root)
