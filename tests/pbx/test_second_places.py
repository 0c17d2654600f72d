"""Phones that change their addresses, as Asterisk lists them; they are not second phones."""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_INET, SOCK_DGRAM, socket

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.duplicate_registrations import DuplicateRegistrations

BOX_ADDRESS, FIRST_ADDRESS, SECOND_ADDRESS = "127.254.13.1", "127.254.13.5", "127.254.13.9"


class Listing:
    """Asterisk's listing: extension → host and port."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def list_events(self, _action: str, _end: str) -> list[dict[str, str]]:
        return [
            {"Endpoint": name, "Uri": f"sip:{name}@{place}"} for name, place in self.places.items()
        ]


@contextmanager
def answering_phone(host: str) -> Iterator[int]:
    """A phone that answers every request at a host; yields its port."""
    with socket(AF_INET, SOCK_DGRAM) as line:
        line.bind((host, 0))

        def answer_requests() -> None:
            while (packet := line.recvfrom(4096))[0] != b"end":
                line.sendto(b"SIP/2.0 200 OK\r\n\r\n", packet[1])

        thread = threading.Thread(target=answer_requests)
        thread.start()
        try:
            yield line.getsockname()[1]
        finally:
            line.sendto(b"end", line.getsockname())
            thread.join()


def site_with_desk_phones(settings: Settings) -> Settings:
    users = User.select().where(User.extension.is_null(False)).order_by(User.id).limit(2)
    for user, extension in zip(users, ("1001", "1002"), strict=True):
        User.update(extension=extension, phone="desk").where(User.id == user.id).execute()
    place = dataclasses.replace(settings.asterisk, address=BOX_ADDRESS, browser_phones=False)
    return dataclasses.replace(settings, asterisk=place)


def test_an_address_reassigned_to_another_phone_is_not_a_second_place(settings) -> None:
    site, listing, watcher = site_with_desk_phones(settings), Listing(), DuplicateRegistrations()
    with answering_phone(FIRST_ADDRESS) as port:
        listing.places = {"1001": f"{FIRST_ADDRESS}:{port}"}
        assert watcher.find_duplicates(site, listing) == []
        listing.places = {"1001": f"{SECOND_ADDRESS}:{port}"}
        assert watcher.find_duplicates(site, listing) == [
            f"1001: {SECOND_ADDRESS}, {FIRST_ADDRESS}"
        ]
        listing.places["1002"] = f"{FIRST_ADDRESS}:{port}"
        assert watcher.find_duplicates(site, listing) == []


def test_an_invalid_port_does_not_end_the_check(settings) -> None:
    site, listing, watcher = site_with_desk_phones(settings), Listing(), DuplicateRegistrations()
    for host in (FIRST_ADDRESS, SECOND_ADDRESS):
        listing.places = {"1001": f"{host}:99999"}
        assert watcher.find_duplicates(site, listing) == []
