"""What somebody does at a place of the network; run there as a program. Prints JSON."""

import http.client
import json
import socket
import ssl
import struct
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from provisioning.local import callers
from provisioning.local.callers import CallPlan
from provisioning.local.phones import Handling, Phone, Phones

NUMBER = "1006"
CALLER = "+998901000001"


def phones(folder: str, box: str, address: str, extension: str, password: str) -> object:
    """A phone that registers and answers; the operator waits for the caller to hang up."""
    made = Phones(
        box, address, Path(folder), [Phone(extension, password)], Handling(ring=0.5, talk=None)
    )
    made.start()
    made.register()
    print(json.dumps("registered"), flush=True)
    sys.stdin.read()
    made.stop()
    return None


def call(folder: str, box: str, address: str, stays: str) -> object:
    """A citizen who chooses Uzbek, stays so many seconds and hangs up."""
    plan = CallPlan("patient", CALLER, ((2.0, "1"),), float(stays))
    nobody = types.SimpleNamespace(box=box, rings=list)
    there = callers.place([plan], nobody, address, Path(folder), NUMBER)
    report = there.wait(float(stays) + 120)[0]
    return {"answered": report.answered_at is not None, "ended_by": report.ended_by}


def options(box: str, address: str, tries: str = "5") -> object:
    """Whether SIP answers an OPTIONS from here: the first line, or null."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((address, 0))
        phone.settimeout(1)
        here = f"{address}:{phone.getsockname()[1]}"
        for number in range(int(tries)):
            one = f"{time.time_ns()}"
            lines = [
                f"OPTIONS sip:{box} SIP/2.0",
                f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{one}",
                f"From: <sip:check@{here}>;tag={number}",
                f"To: <sip:{box}>",
                f"Call-ID: {one}@{here}",
                "CSeq: 1 OPTIONS",
                f"Contact: <sip:check@{here}>",
                "Max-Forwards: 5",
                "Content-Length: 0",
                "",
                "",
            ]
            phone.sendto("\r\n".join(lines).encode(), (box, 5060))
            try:
                return phone.recv(4096).decode().split("\r\n")[0]
            except TimeoutError:
                continue
            except OSError as error:  # refused by ICMP
                return type(error).__name__
    return None


def guess(folder: str, box: str, address: str) -> object:
    """Six phones of extension 1001 with wrong passwords; how many were turned away."""
    turned_away = 0
    for number in range(6):
        phone = Phones(box, address, Path(folder), [Phone("1001", f"x{number}")])
        try:
            phone.register()
        except Exception:  # noqa: BLE001  whatever SIPp says of it
            turned_away += 1
    return turned_away


def forge(box: str, victim: str) -> object:
    """Packets that bear somebody else's address, with all that Asterisk complains of; how many."""
    asked = []
    for user in ("1001", "9999", "self-test", "check"):
        made_up = f'username="{user}", realm="asterisk", nonce="{int(time.time())}/{"0" * 32}"'
        digest = f'{made_up}, uri="sip:{box}", response="{"1" * 32}", algorithm=MD5'
        asked += [(user, ""), (user, f"Authorization: Digest {digest}\r\n")] * 10
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
        for number, (user, answer) in enumerate(asked):
            via = f"Via: SIP/2.0/UDP {victim}:5060;branch=z9hG4bK{time.time_ns()}"
            text = (
                f"REGISTER sip:{box} SIP/2.0\r\n{via}\r\nFrom: <sip:{user}@{box}>;tag={number}\r\n"
                f"To: <sip:{user}@{box}>\r\nCall-ID: {number}@{victim}\r\n"
                f"CSeq: {number} REGISTER\r\n"
                f"Contact: <sip:{user}@{victim}>\r\n{answer}Content-Length: 0\r\n\r\n"
            ).encode()
            udp = struct.pack("!HHHH", 5060, 5060, 8 + len(text), 0) + text
            ends = socket.inet_aton(victim) + socket.inet_aton(box)
            head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + ends
            wire.sendto(head + udp, (box, 0))
    return len(asked)


def ports(box: str, *wanted: str) -> object:
    """Which of these TCP ports open from here; all are tried at once."""

    def opens(port: str) -> bool:
        try:
            socket.create_connection((box, int(port)), 10).close()
        except OSError:
            return False
        return True

    with ThreadPoolExecutor(len(wanted)) as tries:
        found = zip(wanted, tries.map(opens, wanted), strict=True)
        return [int(port) for port, is_open in found if is_open]


def half(box: str, address: str, most: str) -> object:
    """Connections to the pages with half a request on each; how many were let in. They stay."""
    held = []
    for _ in range(int(most)):
        line = socket.socket()
        line.bind((address, 0))
        line.settimeout(2)
        try:
            line.connect((box, 443))
            line.sendall(b"\x16\x03\x01")
        except OSError:
            break
        held.append(line)
    print(json.dumps(len(held)), flush=True)
    sys.stdin.read()
    return len(held)


def page(box: str, name: str, authority: str, path: str) -> object:
    """The status of a page over TLS, checked against the authority."""
    trusted = ssl.create_default_context(cafile=authority)
    line = http.client.HTTPSConnection(box, timeout=30, context=trusted)
    line.sock = trusted.wrap_socket(socket.create_connection((box, 443), 30), server_hostname=name)
    line.request("GET", path, headers={"Host": name})
    return line.getresponse().status


def proxy(box: str, site: str) -> object:
    """The status by which the proxy answers a browser that wants this site."""
    with socket.create_connection((box, 3128), 10) as line:
        line.settimeout(90)
        line.sendall(f"CONNECT {site}:443 HTTP/1.1\r\nHost: {site}:443\r\n\r\n".encode())
        return int(line.recv(200).split()[1])


def opened(box: str, site: str) -> object:
    """Whether the proxy lets a browser through to this site; it is away while it reads its list."""
    try:
        return proxy(box, site) != 403
    except (ConnectionError, IndexError):
        return False


if __name__ == "__main__":
    parts = (phones, call, options, guess, forge, half, ports, page, proxy, opened)
    found = {part.__name__: part for part in parts}
    print(json.dumps(found[sys.argv[1]](*sys.argv[2:])))
