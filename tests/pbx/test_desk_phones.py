"""A phone set up by its file: registered over TLS with the file's account, called with SRTP."""

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
from tests.pbx.certificates import settings_with_certificate
from tests.rig.waiting import wait_until

LIMIT_SECONDS = 60
MAC_ADDRESS = "001565a1b2c3"


@pytest.fixture(scope="module")
def settings(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The site, with a certificate that it presents."""
    return settings_with_certificate(site, tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def box(settings: Settings) -> Iterator[Box]:
    """Its Asterisk, started before any phone was registered in the database."""
    config.install_files(settings)
    process = subprocess.Popen(
        [*tree.start_command(), "-f", "-C", str(settings.paths.asterisk / "asterisk.conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Box(settings, process)
    try:
        wait_until(running.accepts_commands, limit=LIMIT_SECONDS)
        yield running
    finally:
        process.kill()
        process.wait()


class Phone:
    """A SIP phone on a TLS connection, set up by its file."""

    def __init__(self, text: str, authority: Path) -> None:
        account = dict(re.findall(r"^account\.1\.([\w.]+) = (.*)$", text, re.MULTILINE))
        self.user, self.password = account["user_name"], account["password"]
        self.server = account["sip_server.1.address"], int(account["sip_server.1.port"])
        tls_context = ssl.create_default_context(cafile=str(authority))
        tls_context.check_hostname = False  # the certificate of this test names no address
        line = socket.create_connection(self.server, timeout=LIMIT_SECONDS)
        self.connection = tls_context.wrap_socket(line)
        self.own_address = "{}:{}".format(*self.connection.getsockname())
        self._buffer = b""
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def register(self) -> int:
        """Register the phone and return the status of the last response."""
        call, challenge, response = secrets.token_hex(8), "", None
        uri = f"sip:{self.server[0]};transport=tls"
        for _ in range(2):
            self._sequence += 1
            headers = [
                ("Via", f"SIP/2.0/TLS {self.own_address};branch={message.new_branch()};rport"),
                ("From", f"<sip:{self.user}@{self.server[0]}>;tag=phone"),
                ("To", f"<sip:{self.user}@{self.server[0]}>"),
                ("Call-ID", call),
                ("CSeq", f"{self._sequence} REGISTER"),
                ("Contact", f"<sip:{self.user}@{self.own_address};transport=tls>"),
                ("Expires", "600"),
                ("Max-Forwards", "70"),
            ]
            if challenge:
                proof = message.digest_authorization(
                    challenge, "REGISTER", uri, self.user, self.password
                )
                headers.append(("Authorization", proof))
            self.connection.sendall(message.encode_message(f"REGISTER {uri} SIP/2.0", headers))
            response = self.next_message("SIP/2.0")
            challenge = response.get("www-authenticate")
            if response.status != 401:
                break
        assert response
        return response.status

    def next_message(self, prefix: str) -> Message:
        """Return the next message that begins with `prefix`."""
        while True:
            head, separator, rest = self._buffer.lstrip(b"\r\n").partition(b"\r\n\r\n")
            length = re.search(rb"^(?:Content-Length|l):\s*(\d+)", head, re.MULTILINE | re.I)
            if separator and len(rest) >= (size := int(length[1]) if length else 0):
                self._buffer = rest[size:]
                received = message.parse_message(head + separator + rest[:size])
                if received and received.start.startswith(prefix):
                    return received
                continue
            more = self.connection.recv(65_536)
            assert more, "the box has hung up"
            self._buffer += more


def test_a_phone_registers_over_tls_and_is_called_with_srtp(box: Box, settings: Settings) -> None:
    operator = User.get(User.login == "op01")
    desk_phones.save_phone(operator, "yealink", MAC_ADDRESS, settings, None)
    config_sync.apply_changes(settings)
    setup = desk_phones.create_setup_address(operator, settings, None)
    token = setup.address.rstrip("/").rpartition("/")[2]
    file = desk_phones.fetch_settings(token, f"{MAC_ADDRESS}.cfg", "", "10.0.0.5", settings)
    assert "pjsip.conf" in config_sync.apply_changes(settings)
    assert settings.asterisk.certificate
    command = [*tree.start_command(), "-C", str(settings.paths.asterisk / "asterisk.conf")]
    with Phone(file, settings.asterisk.certificate) as phone:
        assert phone.register() == 200
        ring = f"channel originate PJSIP/{phone.user} application Wait 5"
        subprocess.run(
            [*command, "-rx", ring], check=True, capture_output=True, timeout=LIMIT_SECONDS
        )
        invite = phone.next_message("INVITE")
    assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in invite.body
    assert re.search(r"^m=audio \d+ RTP/SAVP 8 0 9 101\s*$", invite.body, re.MULTILINE)


def hand_typed_settings(settings: Settings, login: str) -> str:
    """Return what a person types into a phone that cannot set itself up."""
    user, place = User.get(User.login == login), settings.asterisk
    account = {
        "user_name": user.extension,
        "password": user.sip_password,
        "sip_server.1.address": place.address,
        "sip_server.1.port": place.sip_port + 1,
    }
    return "".join(f"account.1.{name} = {value}\n" for name, value in account.items())


def test_a_phone_set_up_by_hand_is_called_with_srtp(box: Box, settings: Settings) -> None:
    command = [*tree.start_command(), "-C", str(settings.paths.asterisk / "asterisk.conf")]
    assert settings.asterisk.certificate
    with Phone(hand_typed_settings(settings, "op02"), settings.asterisk.certificate) as phone:
        assert phone.register() == 200
        ring = f"channel originate PJSIP/{phone.user} application Wait 5"
        subprocess.run(
            [*command, "-rx", ring], check=True, capture_output=True, timeout=LIMIT_SECONDS
        )
        invite = phone.next_message("INVITE")
    assert re.search(r"^m=audio \d+ RTP/SAVP ", invite.body, re.MULTILINE)


@pytest.mark.usefixtures("box")
def test_an_old_phone_is_configured_without_tls(settings: Settings) -> None:
    old = dataclasses.replace(settings.asterisk, plain_phones=("1002",))
    text = config.render_files(dataclasses.replace(settings, asterisk=old))["pjsip.conf"]
    secured = re.findall(r"^\[(100\d)\]\ntype = endpoint\ntransport = (\w+)$", text, re.MULTILINE)
    assert secured == [("1001", "tls"), ("1002", "udp")]


def test_the_password_of_a_removed_phone_is_refused(box: Box, settings: Settings) -> None:
    """The password in the file is refused once the phone is removed."""
    operator = User.get(User.login == "op02")
    desk_phones.save_phone(operator, "yealink", "001565a1b2c4", settings, None)
    setup = desk_phones.create_setup_address(operator, settings, None)
    token = setup.address.rstrip("/").rpartition("/")[2]
    file = desk_phones.fetch_settings(token, "001565a1b2c4.cfg", "", "10.0.0.6", settings)
    config_sync.apply_changes(settings)
    assert settings.asterisk.certificate
    with Phone(file, settings.asterisk.certificate) as phone:
        assert phone.register() == 200
    desk_phones.remove_phone(operator, None)
    config_sync.apply_changes(settings)
    with Phone(file, settings.asterisk.certificate) as phone:
        assert phone.register() == 401
