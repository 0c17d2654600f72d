"""Who is taken for a guesser of phones' passwords: the real Asterisk, read along on the wire."""

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
from tests.pbx.certificates import certified
from tests.rig.waiting import until

PROGRAM = Path(__file__).parents[2] / "provisioning/ansible/roles/firewall/files/guesses.py"
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can read along on the wire")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody calls here: no prompts."""
    folder = tmp_path_factory.mktemp("silent")
    (folder / "music").mkdir()
    return folder


@pytest.fixture(scope="module")
def site(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """With a certificate to show to phones."""
    return certified(site, tmp_path_factory.mktemp("tls"))


@pytest.fixture
def named(box: Box, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """The addresses that the program has named by now, those of our own network."""
    log, secret, place = tmp_path / "named", tmp_path / "secret", box.settings.asterisk
    secret.write_text(f"{place.guesses_secret}\n")
    asked = [f"{place.inside}:{place.ami_port}", secret]
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-I", PROGRAM, "5060", *asked], stdout=out)
    network = box.settings.asterisk.address.partition(".253.")[2]

    def read() -> list[str]:
        told = re.findall(r"wrong password of a phone from (\S+)\n", log.read_text())
        return [address for address in told if address.endswith(network)]

    try:
        # Asterisk drops what comes before it has started; the program what comes before it listens.
        until(lambda: guess(box, "240", "1001") and read(), 60)
        with secure(box, "239") as phone:
            until(lambda: guess_by(phone, box, "1001") and any(map(of("239"), read())), 60)
        yield read
    finally:
        process.kill()
        process.wait()


def say(box: Box, place: str, user: str, answer: str = "", call: str = "one@here") -> str:
    """A REGISTER from an address of ours; the reply, "" when none comes within a second."""
    there = box.settings.asterisk.address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((there.replace(".253.", f".{place}."), 0))
        phone.settimeout(1)
        phone.sendto(register(phone, box, "UDP", user, answer, call), (there, 5060))
        try:
            return phone.recv(4096).decode()
        except TimeoutError:
            return ""


def register(
    phone: socket.socket, box: Box, by: str, user: str, answer: str = "", call: str = "one@here"
) -> bytes:
    """A REGISTER of that user, from where the socket is."""
    there, here = box.settings.asterisk.address, "{}:{}".format(*phone.getsockname())
    lines = [
        f"REGISTER sip:{there} SIP/2.0",
        f"Via: SIP/2.0/{by} {here};branch=z9hG4bK{os.urandom(6).hex()}",
        f"From: <sip:{user}@{there}>;tag=1",
        f"To: <sip:{user}@{there}>",
        f"Call-ID: {call}",
        f"CSeq: {int.from_bytes(os.urandom(3))} REGISTER",
        f"Contact: <sip:{user}@{here}>",
        *([answer] if answer else []),
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def secure(box: Box, place: str) -> ssl.SSLSocket:
    """A connection by TLS from an address of ours."""
    there = box.settings.asterisk.address
    here = (there.replace(".253.", f".{place}."), 0)
    trusting = ssl.create_default_context(cafile=str(box.settings.asterisk.certificate))
    trusting.check_hostname = False  # the certificate of this test names no address
    return trusting.wrap_socket(socket.create_connection((there, 5061), 10, source_address=here))


def say_by(phone: ssl.SSLSocket, box: Box, user: str, answer: str = "", **more: str) -> str:
    """A REGISTER by that connection; the reply."""
    phone.sendall(register(phone, box, "TLS", user, answer, **more))
    reply = b""
    while b"\r\n\r\n" not in reply:
        if not (more_of_it := phone.recv(4096)):
            raise ConnectionResetError("Asterisk has hung up")
        reply += more_of_it
    return reply.decode()


def guess_by(phone: ssl.SSLSocket, box: Box, user: str, **more: str) -> str:
    """A wrong password after a challenge by that connection; the next challenge."""
    nonce = nonce_of(say_by(phone, box, user))
    return nonce_of(say_by(phone, box, user, answer(box, user, nonce, "wrong"), **more))


def of(place: str) -> Callable[[str], bool]:
    """Whether an address is that one of ours."""
    return lambda address: address.startswith(f"127.{place}.")


def answer(box: Box, user: str, nonce: str, password: str) -> str:
    """The header by which a phone answers a challenge."""

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    uri = f"sip:{box.settings.asterisk.address}"
    own, asked = md5(user, "asterisk", password), md5("REGISTER", uri)
    return (
        f'Authorization: Digest username="{user}", realm="asterisk", nonce="{nonce}", uri="{uri}", '
        f'response="{md5(own, nonce, "00000001", "a", "auth", asked)}", algorithm=MD5, '
        'cnonce="a", qop=auth, nc=00000001'
    )


def nonce_of(reply: str) -> str:
    found = re.search('nonce="([^"]+)"', reply)
    return found[1] if found else ""


def guess(box: Box, place: str, user: str, **more: str) -> str:
    """A wrong password after a challenge; the next challenge."""
    nonce = nonce_of(say(box, place, user))
    return nonce and nonce_of(say(box, place, user, answer(box, user, nonce, "wrong"), **more))


def test_packets_with_a_forged_sender_name_nobody(box: Box, named: Callable[[], list[str]]) -> None:
    known = guess(box, "241", "1001")  # what the forger himself was asked
    made_up = ("1/2", known, known[:-1] + "x", known[: known.index("/")] + "/" + "0" * 32)
    for _ in range(3):
        for user in ("1001", "9999", "self-test"):
            assert say(box, "242", user).startswith("SIP/2.0 401")
            for nonce in made_up:
                say(box, "242", user, answer(box, user, nonce, "wrong"))
    before = len(named())
    guess(box, "243", "1001")
    until(lambda: len(named()) > before, 20)  # all before it has been read by now
    assert named()[-1].startswith("127.243.")
    assert [address for address in named() if address.startswith("127.242.")] == []
    print("a forged sender, 45 packets: named 0 times")


def test_wrong_passwords_name_who_sent_them(box: Box, named: Callable[[], list[str]]) -> None:
    nonce = nonce_of(say(box, "244", "1001"))
    for _ in range(4):  # each with the challenge that turned the last one away
        nonce = nonce_of(say(box, "244", "1001", answer(box, "1001", nonce, "wrong")))
    until(lambda: sum(a.startswith("127.244.") for a in named()) == 4, 20)


def test_a_right_password_names_nobody_and_a_header_nobody_else(
    box: Box, named: Callable[[], list[str]]
) -> None:
    password = User.get(User.extension == "1001").sip_password
    nonce = nonce_of(say(box, "245", "1001"))
    assert say(box, "245", "1001", answer(box, "1001", nonce, password)).startswith("SIP/2.0 200")
    line = (
        'x",RemoteAddress="IPV4/UDP/127.246.1.1/5060",Challenge="",Response="",ExpectedResponse=""'
    )
    guess(box, "247", "1001", call=line)
    until(lambda: named()[-1].startswith("127.247."), 20)
    assert not [a for a in named() if a.startswith(("127.245.", "127.246."))]


def test_wrong_passwords_by_tls_name_who_sent_them(
    box: Box, named: Callable[[], list[str]]
) -> None:
    with secure(box, "248") as phone:
        for user in ("1001", "1002", "1001", "9999"):  # the last is nobody's
            guess_by(phone, box, user)
    until(lambda: sum(map(of("248"), named())) == 4, 20)


def test_by_tls_a_right_password_names_nobody_and_a_header_nobody_else(
    box: Box, named: Callable[[], list[str]]
) -> None:
    password = User.get(User.extension == "1001").sip_password
    with secure(box, "249") as phone:
        nonce = nonce_of(say_by(phone, box, "1001"))
        said = say_by(phone, box, "1001", answer(box, "1001", nonce, password))
        assert said.startswith("SIP/2.0 200")
    victim = "IPV4/TLS/127.250.1.1/5061"
    for call in (f'x",RemoteAddress="{victim}",Challenge="', f"x RemoteAddress: {victim}"):
        with secure(box, "251") as phone:
            guess_by(phone, box, "1001", call=call)
    until(lambda: sum(map(of("251"), named())) == 2, 20)
    assert not [a for a in named() if of("249")(a) or of("250")(a)]


def test_it_hears_of_them_again_when_asterisk_was_started_anew(
    box: Box, named: Callable[[], list[str]]
) -> None:
    box.kill()
    box.start_again()
    until(box.answers, 60)

    def heard() -> bool:
        # It answers commands before it answers phones.
        with contextlib.suppress(ConnectionError), secure(box, "238") as phone:
            guess_by(phone, box, "1001")
        return any(map(of("238"), named()))

    until(heard, 60, every=0.5)
