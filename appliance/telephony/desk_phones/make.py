"""What a maker's module does, and what it is told of a phone."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from xml.etree import ElementTree

LANGUAGE = ("ru", "Russian")  # of the phone's own menus: none of the makes has Uzbek
EXPIRES = 3600  # seconds that a registration holds
EVENTS = 101  # RTP payload type of keys (RFC 4733)
BOOK = "phonebook.xml"

Entries = Iterable[tuple[str, str]]  # name and number


@dataclass(frozen=True)
class Setup:
    """All that one phone has to know. Its passwords are nowhere else but in its file."""

    mac: str
    extension: str
    name: str
    password: str  # of its SIP account
    web_password: str  # of its own web page
    server: str  # address of the box: SIP over TLS, and the time
    port: int
    offset: dt.timedelta  # of the site's time from UTC
    title: str  # of the phone book
    book: str  # the phone book's address, https://…/phonebook.xml

    @property
    def hours(self) -> int:
        """The site's time from UTC in whole hours."""
        return round(self.offset / dt.timedelta(hours=1))


class Make(Protocol):
    """A maker of phones: a module of this package."""

    def file_name(self, mac: str) -> str:
        """The file that the phone of this MAC asks for."""

    def settings_file(self, setup: Setup) -> str:
        """The text of that file."""

    def phone_book(self, entries: Entries) -> str:
        """The directory as such a phone reads it."""


def plain(text: str) -> str:
    """A name in letters that the phones have: their fonts lack ʻ and ʼ. One line."""
    return " ".join(text.translate({0x2BB: "'", 0x2BC: "'"}).split())


def add(parent: ElementTree.Element, **values: object) -> None:
    """Append an element for each value."""
    for name, value in values.items():
        ElementTree.SubElement(parent, name).text = str(value)


def written(root: ElementTree.Element) -> str:
    """An XML document as it is sent."""
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}\n'


def ip_phone_directory(maker: str, entries: Entries) -> str:
    """The phone book that Yealink and Fanvil read."""
    root = ElementTree.Element(f"{maker}IPPhoneDirectory")
    for name, number in entries:
        entry = ElementTree.SubElement(root, "DirectoryEntry")
        add(entry, Name=plain(name), Telephone=number)
    return written(root)
