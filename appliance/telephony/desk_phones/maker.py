"""The interface of the modules for makers of phones, and the data that they need of a phone."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from xml.etree import ElementTree

MENU_LANGUAGE = ("ru", "Russian")  # of the phone's own menus: no maker offers Uzbek
REGISTRATION_SECONDS = 3600  # how long a registration is valid
KEY_PAYLOAD_TYPE = 101  # RTP payload type of keys (RFC 4733)
BOOK_FILE_NAME = "phonebook.xml"

BookEntries = Iterable[tuple[str, str]]  # name and number


@dataclass(frozen=True)
class PhoneSetup:
    """The data in one phone's settings file; the passwords are stored nowhere else."""

    mac: str
    extension: str
    name: str
    password: str  # of its SIP account
    web_password: str  # of its own web page
    server: str  # address of the box: SIP over TLS, and NTP
    port: int
    utc_offset: dt.timedelta  # of the site's time from UTC
    book_title: str  # of the phone book
    book_url: str  # https://…/phonebook.xml

    @property
    def utc_offset_hours(self) -> int:
        """The offset of the site's time from UTC in whole hours."""
        return round(self.utc_offset / dt.timedelta(hours=1))


class PhoneMaker(Protocol):
    """A maker of phones: implemented by a module of this package."""

    def file_name(self, mac: str) -> str:
        """The name of the file that the phone with this MAC requests."""

    def settings_file(self, setup: PhoneSetup) -> str:
        """The text of that file."""

    def phone_book(self, entries: BookEntries) -> str:
        """The directory in the format of such a phone."""


def plain_text(text: str) -> str:
    """Return a name as one line, with letters that phones can show: their fonts lack ʻ and ʼ."""
    return " ".join(text.translate({0x2BB: "'", 0x2BC: "'"}).split())


def add_elements(parent: ElementTree.Element, **values: object) -> None:
    """Append a child element for each value."""
    for name, value in values.items():
        ElementTree.SubElement(parent, name).text = str(value)


def xml_text(root: ElementTree.Element) -> str:
    """An XML document as indented text with its declaration."""
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def ip_phone_directory(maker: str, entries: BookEntries) -> str:
    """The phone book in the format of Yealink and Fanvil."""
    root = ElementTree.Element(f"{maker}IPPhoneDirectory")
    for name, number in entries:
        entry = ElementTree.SubElement(root, "DirectoryEntry")
        add_elements(entry, Name=plain_text(name), Telephone=number)
    return xml_text(root)
