"""Who is taken for a guesser of phones' passwords: the real Asterisk, read along on the wire."""

import hashlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.models import User
from tests.pbx.box import Box
from tests.rig.waiting import until

PROGRAM = Path(__file__).parents[2] / "provisioning/ansible/roles/firewall/files/guesses.py"
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can read along on the wire")


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody calls here: no prompts."""
    folder = tmp_path_factory.mktemp("silent")
    (folder / "music").mkdir()
    return folder


@pytest.fixture
def named(box: Box, tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """The addresses that the program has named by now, those of our own network."""
    log = tmp_path / "named"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-I", PROGRAM, "5060"], stdout=out)
    network = box.settings.asterisk.address.partition(".253.")[2]

    def read() -> list[str]:
        told = re.findall(r"wrong password of a phone from (\S+)\n", log.read_text())
        return [address for address in told if address.endswith(network)]

    try:
        # Asterisk drops what comes before it has started; the program what comes before it listens.
        until(lambda: guess(box, "240", "1001") and read(), 60)
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
        here = "{}:{}".format(*phone.getsockname())
        lines = [
            f"REGISTER sip:{there} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{os.urandom(6).hex()}",
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
        phone.sendto("\r\n".join(lines).encode(), (there, 5060))
        try:
            return phone.recv(4096).decode()
        except TimeoutError:
            return ""


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
