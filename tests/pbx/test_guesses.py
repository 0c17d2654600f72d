"""Which addresses are taken for guessers of phone passwords: a real Asterisk, read on the wire."""

import contextlib
import hashlib
import os
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.models import User
from tests.pbx.box import Box
from tests.pbx.certificates import settings_with_certificate
from tests.rig.waiting import wait_until

PROGRAM = Path(__file__).parents[2] / "provisioning/ansible/roles/firewall/files/guesses.py"
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can read along on the wire")


@pytest.fixture(scope="module")
def synthesised_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No prompts, because nobody calls here."""
    folder = tmp_path_factory.mktemp("silent")
    (folder / "music").mkdir()
    return folder


@pytest.fixture(scope="module")
def site(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The site, with a certificate that it presents to phones."""
    return settings_with_certificate(site, tmp_path_factory.mktemp("tls"))


@pytest.fixture
def named_addresses(box: Box, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """Return a function that lists the addresses of our network named so far."""
    log, secret, place = tmp_path / "named", tmp_path / "secret", box.settings.asterisk
    secret.write_text(f"{place.guesses_secret}\n")
    arguments = [f"{place.inside}:{place.ami_port}", secret]
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-I", PROGRAM, "5060", *arguments], stdout=out)
    network = box.settings.asterisk.address.partition(".253.")[2]

    def read_addresses() -> list[str]:
        addresses = re.findall(r"wrong password of a phone from (\S+)\n", log.read_text())
        return [address for address in addresses if address.endswith(network)]

    try:
        # Asterisk drops packets that arrive before it starts; the program ignores those before it
        # listens.
        wait_until(lambda: guess_password(box, "240", "1001") and read_addresses(), 60)
        with connect_with_tls(box, "239") as phone:
            wait_until(
                lambda: (
                    guess_over_tls(phone, box, "1001")
                    and any(map(is_from_place("239"), read_addresses()))
                ),
                60,
            )
        yield read_addresses
    finally:
        process.kill()
        process.wait()


def test_an_unreachable_asterisk_is_logged_once(tmp_path: Path) -> None:
    secret, log = tmp_path / "secret", tmp_path / "errors"
    secret.write_text("secret\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # free again, and refused, after the block
    command = [sys.executable, "-I", PROGRAM, "5060", f"127.0.0.1:{port}", secret]
    with log.open("wb") as out, subprocess.Popen(command, stderr=out) as process:
        try:
            wait_until(log.read_text)
            secret.unlink()  # another error
            wait_until(lambda: log.read_text().count("\n") > 1)
        finally:
            process.kill()
    lines = log.read_text().splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "Asterisk's events cannot be followed"
    ] * 2
    assert "refused" in lines[0]
    assert "No such file" in lines[1]


def send_register(box: Box, place: str, user: str, answer: str = "", call: str = "one@here") -> str:
    """Send a REGISTER from a test address; return the reply, or "" without one after 1 s."""
    server = box.settings.asterisk.address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((server.replace(".253.", f".{place}."), 0))
        phone.settimeout(1)
        phone.sendto(register_request(phone, box, "UDP", user, answer, call), (server, 5060))
        try:
            return phone.recv(4096).decode()
        except TimeoutError:
            return ""


def register_request(
    phone: socket.socket, box: Box, by: str, user: str, answer: str = "", call: str = "one@here"
) -> bytes:
    """Return a REGISTER of that user, sent from the address of the socket."""
    server, source = box.settings.asterisk.address, "{}:{}".format(*phone.getsockname())
    lines = [
        f"REGISTER sip:{server} SIP/2.0",
        f"Via: SIP/2.0/{by} {source};branch=z9hG4bK{os.urandom(6).hex()}",
        f"From: <sip:{user}@{server}>;tag=1",
        f"To: <sip:{user}@{server}>",
        f"Call-ID: {call}",
        f"CSeq: {int.from_bytes(os.urandom(3))} REGISTER",
        f"Contact: <sip:{user}@{source}>",
        *([answer] if answer else []),
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def connect_with_tls(box: Box, place: str) -> ssl.SSLSocket:
    """Connect over TLS from a test address."""
    server = box.settings.asterisk.address
    source = (server.replace(".253.", f".{place}."), 0)
    tls_context = ssl.create_default_context(cafile=str(box.settings.asterisk.certificate))
    tls_context.check_hostname = False  # the certificate of this test names no address
    return tls_context.wrap_socket(
        socket.create_connection((server, 5061), 10, source_address=source)
    )


def send_register_over_tls(
    phone: ssl.SSLSocket, box: Box, user: str, answer: str = "", **more: str
) -> str:
    """Send a REGISTER over that connection and return the reply."""
    phone.sendall(register_request(phone, box, "TLS", user, answer, **more))
    reply = b""
    while b"\r\n\r\n" not in reply:
        if not (chunk := phone.recv(4096)):
            raise ConnectionResetError("Asterisk has hung up")
        reply += chunk
    return reply.decode()


def guess_over_tls(phone: ssl.SSLSocket, box: Box, user: str, **more: str) -> str:
    """Send a wrong password after a challenge over that connection; return the next challenge."""
    nonce = nonce_of_reply(send_register_over_tls(phone, box, user))
    return nonce_of_reply(
        send_register_over_tls(
            phone, box, user, authorization_header(box, user, nonce, "wrong"), **more
        )
    )


def is_from_place(place: str) -> Callable[[str], bool]:
    """Return a predicate: True if an address is the test address of that place."""
    return lambda address: address.startswith(f"127.{place}.")


def authorization_header(box: Box, user: str, nonce: str, password: str) -> str:
    """Return the header with which a phone answers a challenge."""

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    uri = f"sip:{box.settings.asterisk.address}"
    account_hash, request_hash = md5(user, "asterisk", password), md5("REGISTER", uri)
    response = md5(account_hash, nonce, "00000001", "a", "auth", request_hash)
    return (
        f'Authorization: Digest username="{user}", realm="asterisk", nonce="{nonce}", uri="{uri}", '
        f'response="{response}", algorithm=MD5, '
        'cnonce="a", qop=auth, nc=00000001'
    )


def nonce_of_reply(reply: str) -> str:
    match = re.search('nonce="([^"]+)"', reply)
    return match[1] if match else ""


def guess_password(box: Box, place: str, user: str, **more: str) -> str:
    """Send a wrong password after a challenge; return the next challenge."""
    nonce = nonce_of_reply(send_register(box, place, user))
    return nonce and nonce_of_reply(
        send_register(box, place, user, authorization_header(box, user, nonce, "wrong"), **more)
    )


def test_packets_with_a_forged_sender_name_no_address(
    box: Box, named_addresses: Callable[[], list[str]]
) -> None:
    real_nonce = guess_password(box, "241", "1001")  # the challenge that the forger received
    forged_nonces = (
        "1/2",
        real_nonce,
        real_nonce[:-1] + "x",
        real_nonce[: real_nonce.index("/")] + "/" + "0" * 32,
    )
    for _ in range(3):
        for user in ("1001", "9999", "self-test"):
            assert send_register(box, "242", user).startswith("SIP/2.0 401")
            for nonce in forged_nonces:
                send_register(box, "242", user, authorization_header(box, user, nonce, "wrong"))
    guess_password(box, "243", "1001")
    # Events arrive in order: after this address, those of all earlier packets have been read.
    wait_until(lambda: any(map(is_from_place("243"), named_addresses())), 20)
    assert [address for address in named_addresses() if address.startswith("127.242.")] == []
    print("a forged sender, 45 packets: named 0 times")


def test_wrong_passwords_name_their_sender(
    box: Box, named_addresses: Callable[[], list[str]]
) -> None:
    nonce = nonce_of_reply(send_register(box, "244", "1001"))
    for _ in range(4):  # each with the challenge that rejected the one before
        nonce = nonce_of_reply(
            send_register(box, "244", "1001", authorization_header(box, "1001", nonce, "wrong"))
        )
    wait_until(lambda: sum(a.startswith("127.244.") for a in named_addresses()) == 4, 20)


def test_a_correct_password_and_a_forged_header_name_no_address(
    box: Box, named_addresses: Callable[[], list[str]]
) -> None:
    password = User.get(User.extension == "1001").sip_password
    nonce = nonce_of_reply(send_register(box, "245", "1001"))
    assert send_register(
        box, "245", "1001", authorization_header(box, "1001", nonce, password)
    ).startswith("SIP/2.0 200")
    line = (
        'x",RemoteAddress="IPV4/UDP/127.246.1.1/5060",Challenge="",Response="",ExpectedResponse=""'
    )
    guess_password(box, "247", "1001", call=line)
    wait_until(lambda: named_addresses()[-1].startswith("127.247."), 20)
    assert not [a for a in named_addresses() if a.startswith(("127.245.", "127.246."))]


def test_wrong_passwords_over_tls_name_their_sender(
    box: Box, named_addresses: Callable[[], list[str]]
) -> None:
    with connect_with_tls(box, "248") as phone:
        for user in ("1001", "1002", "1001", "9999"):  # the last extension does not exist
            guess_over_tls(phone, box, user)
    wait_until(lambda: sum(map(is_from_place("248"), named_addresses())) == 4, 20)


def test_over_tls_a_correct_password_and_a_forged_header_name_no_address(
    box: Box, named_addresses: Callable[[], list[str]]
) -> None:
    password = User.get(User.extension == "1001").sip_password
    with connect_with_tls(box, "249") as phone:
        nonce = nonce_of_reply(send_register_over_tls(phone, box, "1001"))
        reply = send_register_over_tls(
            phone, box, "1001", authorization_header(box, "1001", nonce, password)
        )
        assert reply.startswith("SIP/2.0 200")
    victim = "IPV4/TLS/127.250.1.1/5061"
    for call in (f'x",RemoteAddress="{victim}",Challenge="', f"x RemoteAddress: {victim}"):
        with connect_with_tls(box, "251") as phone:
            guess_over_tls(phone, box, "1001", call=call)
    wait_until(lambda: sum(map(is_from_place("251"), named_addresses())) == 2, 20)
    assert not [a for a in named_addresses() if is_from_place("249")(a) or is_from_place("250")(a)]


def test_wrong_passwords_are_named_again_after_a_restart_of_asterisk(
    box: Box, named_addresses: Callable[[], list[str]]
) -> None:
    box.kill_process()
    box.restart_process()
    wait_until(box.accepts_commands, 60)

    def is_guess_named() -> bool:
        # It answers commands before it answers phones.
        with contextlib.suppress(ConnectionError), connect_with_tls(box, "238") as phone:
            guess_over_tls(phone, box, "1001")
        return any(map(is_from_place("238"), named_addresses()))

    wait_until(is_guess_named, 60, every=0.5)
