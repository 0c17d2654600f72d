"""Phones that change their places, as Asterisk lists them; none of them is a second one."""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socket import AF_INET, SOCK_DGRAM, socket

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx.second_places import SecondPlaces

HERE, FIRST, SECOND = "127.254.13.1", "127.254.13.5", "127.254.13.9"


class Listing:
    """What Asterisk lists, extension → host and port."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def listed(self, _action: str, _end: str) -> list[dict[str, str]]:
        return [
            {"Endpoint": name, "Uri": f"sip:{name}@{place}"} for name, place in self.places.items()
        ]


@contextmanager
def answering(host: str) -> Iterator[int]:
    """A phone that answers every request at a host; its port."""
    with socket(AF_INET, SOCK_DGRAM) as line:
        line.bind((host, 0))

        def answer() -> None:
            while (packet := line.recvfrom(4096))[0] != b"end":
                line.sendto(b"SIP/2.0 200 OK\r\n\r\n", packet[1])

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield line.getsockname()[1]
        finally:
            line.sendto(b"end", line.getsockname())
            thread.join()


def site_of(settings: Settings) -> Settings:
    users = User.select().where(User.extension.is_null(False)).order_by(User.id).limit(2)
    for user, extension in zip(users, ("1001", "1002"), strict=True):
        User.update(extension=extension, phone="desk").where(User.id == user.id).execute()
    place = dataclasses.replace(settings.asterisk, address=HERE, browser_phones=False)
    return dataclasses.replace(settings, asterisk=place)


def test_an_address_that_another_phone_was_given_is_no_second_place(settings) -> None:
    site, listing, known = site_of(settings), Listing(), SecondPlaces()
    with answering(FIRST) as port:
        listing.places = {"1001": f"{FIRST}:{port}"}
        assert known.look(site, listing) == []
        listing.places = {"1001": f"{SECOND}:{port}"}
        assert known.look(site, listing) == [f"1001: {SECOND}, {FIRST}"]
        listing.places["1002"] = f"{FIRST}:{port}"
        assert known.look(site, listing) == []


def test_a_port_that_is_none_ends_no_look(settings) -> None:
    site, listing, known = site_of(settings), Listing(), SecondPlaces()
    for host in (FIRST, SECOND):
        listing.places = {"1001": f"{host}:99999"}
        assert known.look(site, listing) == []
