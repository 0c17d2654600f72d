"""Grandstream GXP and GRP: cfgMAC.xml, numbered values (the maker's configuration templates)."""

from urllib.parse import urlsplit
from xml.etree import ElementTree

from appliance.telephony.desk_phones.maker import (
    BOOK_FILE_NAME,
    KEY_PAYLOAD_TYPE,
    MENU_LANGUAGE,
    REGISTRATION_SECONDS,
    BookEntries,
    PhoneSetup,
    add_elements,
    plain_text,
    xml_text,
)

_TLS, _SRTP_FORCED, _HTTPS_UPGRADE, _HTTPS_BOOK = 2, 2, 2, 3
_ALAW, _ULAW, _G722 = 8, 0, 9
_BOOK_INTERVAL_MINUTES = 720  # between two downloads of the phone book, the longest possible


def file_name(mac: str) -> str:
    """The name of the file that the phone with this MAC requests."""
    return f"cfg{mac}.xml"


def settings_file(setup: PhoneSetup) -> str:
    """Return the text of the settings file.

    The comments give the name of each value on the phone's web page.
    """
    book = urlsplit(setup.book_url)
    values: dict[str, object] = {
        "P271": 1,  # account active
        "P270": setup.extension,  # account name
        "P47": f"{setup.server}:{setup.port}",  # SIP server
        "P35": setup.extension,  # SIP user id
        "P36": setup.extension,  # authenticate id
        "P34": setup.password,  # authenticate password
        "P3": plain_text(setup.name),  # name
        "P32": REGISTRATION_SECONDS // 60,  # register expiration, minutes
        "P130": _TLS,  # SIP transport
        "P2329": 0,  # URI scheme when using TLS: sip
        "P2331": 1,  # actual ephemeral port in contact
        "P183": _SRTP_FORCED,  # SRTP mode
        "P2301": 0,  # DTMF in audio
        "P2302": 1,  # DTMF by RFC 4733
        "P2303": 0,  # DTMF by SIP INFO
        "P79": KEY_PAYLOAD_TYPE,  # DTMF payload type
        **{"P57": _ALAW, "P58": _ULAW, "P59": _G722},  # preferred vocoders
        **dict.fromkeys(("P60", "P61", "P62", "P46"), _ALAW),
        "P30": setup.server,  # NTP server
        "P144": 0,  # DHCP option 42 overrides it
        "P64": "customize",  # time zone
        "P246": f"LOC{-setup.utc_offset_hours:+}",  # self-defined time zone, in POSIX format
        "P143": 0,  # DHCP option 2 overrides it
        "P1362": MENU_LANGUAGE[0],  # display language
        "P330": _HTTPS_BOOK,  # phone book download
        "P331": book.netloc + book.path.removesuffix(f"/{BOOK_FILE_NAME}"),  # its server path
        "P332": _BOOK_INTERVAL_MINUTES,
        "P333": 0,  # remove manually edited entries
        "P2": setup.web_password,  # admin password
        "P196": setup.web_password,  # user password
        # The address can be used once: the phone must not ask any server again.
        "P212": _HTTPS_UPGRADE,
        "P237": "",  # config server path
        "P194": 0,  # automatic upgrade
        "P145": 0,  # DHCP options 43 and 66 override the server
    }
    root = ElementTree.Element("gs_provision", version="1")
    add_elements(root, mac=setup.mac)
    add_elements(ElementTree.SubElement(root, "config", version="1"), **values)
    return xml_text(root)


def phone_book(entries: BookEntries) -> str:
    """The directory in Grandstream's format."""
    root = ElementTree.Element("AddressBook")
    for name, number in entries:
        contact = ElementTree.SubElement(root, "Contact")
        add_elements(contact, LastName=plain_text(name))
        phone = ElementTree.SubElement(contact, "Phone", type="Work")
        add_elements(phone, phonenumber=number, accountindex=1)
    return xml_text(root)
