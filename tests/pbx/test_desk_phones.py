"""A phone that has set itself up: registered over TLS with what its file says, called with SRTP."""

import dataclasses
import re
import secrets
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from appliance.core.settings import Settings
from appliance.models import User
from appliance.pbx import config, config_sync
from appliance.sip import message
from appliance.sip.message import Message
from appliance.telephony import desk_phones
from provisioning.local import asterisk as tree
from tests.pbx.box import Box
from tests.pbx.certificates import certified
from tests.rig.waiting import until

LIMIT = 60
MAC = "001565a1b2c3"


@pytest.fixture(scope="module")
def settings(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The site, with a certificate to show."""
    return certified(site, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def box(settings: Settings) -> Iterator[Box]:
    """Its Asterisk, started before any phone was written down."""
    config.install(settings)
    process = subprocess.Popen(
        [*tree.command(), "-f", "-C", str(settings.paths.asterisk / "asterisk.conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Box(settings, process)
    try:
        until(running.answers, limit=LIMIT)
        yield running
    finally:
        process.kill()
        process.wait()


class Phone:
    """A SIP phone on a TLS connection, set up by its file."""

    def __init__(self, text: str, authority: Path) -> None:
        told = dict(re.findall(r"^account\.1\.([\w.]+) = (.*)$", text, re.MULTILINE))
        self.user, self.password = told["user_name"], told["password"]
        self.server = told["sip_server.1.address"], int(told["sip_server.1.port"])
        trusting = ssl.create_default_context(cafile=str(authority))
        trusting.check_hostname = False  # the certificate of this test names no address
        line = socket.create_connection(self.server, timeout=LIMIT)
        self.line = trusting.wrap_socket(line)
        self.here = "{}:{}".format(*self.line.getsockname())
        self._read = b""
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def register(self) -> int:
        """The status of the answer."""
        call, challenge, said = secrets.token_hex(8), "", None
        uri = f"sip:{self.server[0]};transport=tls"
        for _ in range(2):
            self._count += 1
            headers = [
                ("Via", f"SIP/2.0/TLS {self.here};branch={message.new_branch()};rport"),
                ("From", f"<sip:{self.user}@{self.server[0]}>;tag=phone"),
                ("To", f"<sip:{self.user}@{self.server[0]}>"),
                ("Call-ID", call),
                ("CSeq", f"{self._count} REGISTER"),
                ("Contact", f"<sip:{self.user}@{self.here};transport=tls>"),
                ("Expires", "600"),
                ("Max-Forwards", "70"),
            ]
            if challenge:
                proof = message.authorization(challenge, "REGISTER", uri, self.user, self.password)
                headers.append(("Authorization", proof))
            self.line.sendall(message.text(f"REGISTER {uri} SIP/2.0", headers))
            said = self.hear("SIP/2.0")
            challenge = said.get("www-authenticate")
            if said.status != 401:
                break
        assert said
        return said.status

    def hear(self, begins: str) -> Message:
        """The next message that begins so."""
        while True:
            head, parted, rest = self._read.lstrip(b"\r\n").partition(b"\r\n\r\n")
            length = re.search(rb"^(?:Content-Length|l):\s*(\d+)", head, re.MULTILINE | re.I)
            if parted and len(rest) >= (size := int(length[1]) if length else 0):
                self._read = rest[size:]
                said = message.parse(head + parted + rest[:size])
                if said and said.start.startswith(begins):
                    return said
                continue
            more = self.line.recv(65_536)
            assert more, "the box has hung up"
            self._read += more


def test_it_registers_over_tls_and_is_called_with_srtp(box: Box, settings: Settings) -> None:
    operator = User.get(User.login == "op01")
    desk_phones.save(operator, "yealink", MAC, settings, None)
    config_sync.put_in_force(settings)
    given = desk_phones.give_address(operator, settings, None)
    token = given.address.rstrip("/").rpartition("/")[2]
    file = desk_phones.take(token, f"{MAC}.cfg", "", "10.0.0.5", settings)
    assert "pjsip.conf" in config_sync.put_in_force(settings)
    assert settings.asterisk.certificate
    command = [*tree.command(), "-C", str(settings.paths.asterisk / "asterisk.conf")]
    with Phone(file, settings.asterisk.certificate) as phone:
        assert phone.register() == 200
        ring = f"channel originate PJSIP/{phone.user} application Wait 5"
        subprocess.run([*command, "-rx", ring], check=True, capture_output=True, timeout=LIMIT)
        invite = phone.hear("INVITE")
    assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in invite.body
    assert re.search(r"^m=audio \d+ RTP/SAVP 8 0 9 101\s*$", invite.body, re.MULTILINE)


def by_hand(settings: Settings, login: str) -> str:
    """What somebody types into a phone that sets up nothing by itself."""
    user, place = User.get(User.login == login), settings.asterisk
    told = {
        "user_name": user.extension,
        "password": user.sip_password,
        "sip_server.1.address": place.address,
        "sip_server.1.port": place.sip_port + 1,
    }
    return "".join(f"account.1.{name} = {value}\n" for name, value in told.items())


def test_a_phone_set_by_hand_is_called_with_srtp(box: Box, settings: Settings) -> None:
    command = [*tree.command(), "-C", str(settings.paths.asterisk / "asterisk.conf")]
    assert settings.asterisk.certificate
    with Phone(by_hand(settings, "op02"), settings.asterisk.certificate) as phone:
        assert phone.register() == 200
        ring = f"channel originate PJSIP/{phone.user} application Wait 5"
        subprocess.run([*command, "-rx", ring], check=True, capture_output=True, timeout=LIMIT)
        invite = phone.hear("INVITE")
    assert re.search(r"^m=audio \d+ RTP/SAVP ", invite.body, re.MULTILINE)


@pytest.mark.usefixtures("box")
def test_an_old_phone_is_written_down_as_one(settings: Settings) -> None:
    old = dataclasses.replace(settings.asterisk, plain_phones=("1002",))
    text = config.render(dataclasses.replace(settings, asterisk=old))["pjsip.conf"]
    secured = re.findall(r"^\[(100\d)\]\ntype = endpoint\ntransport = (\w+)$", text, re.MULTILINE)
    assert secured == [("1001", "tls"), ("1002", "udp")]


def test_the_password_before_opens_nothing(box: Box, settings: Settings) -> None:
    """What the file held is worth nothing once the phone is removed."""
    operator = User.get(User.login == "op02")
    desk_phones.save(operator, "yealink", "001565a1b2c4", settings, None)
    given = desk_phones.give_address(operator, settings, None)
    token = given.address.rstrip("/").rpartition("/")[2]
    file = desk_phones.take(token, "001565a1b2c4.cfg", "", "10.0.0.6", settings)
    config_sync.put_in_force(settings)
    assert settings.asterisk.certificate
    with Phone(file, settings.asterisk.certificate) as phone:
        assert phone.register() == 200
    desk_phones.remove(operator, None)
    config_sync.put_in_force(settings)
    with Phone(file, settings.asterisk.certificate) as phone:
        assert phone.register() == 401
