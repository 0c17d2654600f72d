"""The actions of a party at a place of the network; it runs there as a program and prints JSON.

The name of a function is the name of the action.
"""

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

HOTLINE_NUMBER = "1006"
CALLER_NUMBER = "+998901000001"


def phones(folder: str, box: str, address: str, extension: str, password: str) -> object:
    """Register a phone that answers; the operator waits for the caller to hang up."""
    phone = Phones(
        box, address, Path(folder), [Phone(extension, password)], Handling(ring=0.5, talk=None)
    )
    phone.start_phones()
    phone.register_all()
    print(json.dumps("registered"), flush=True)
    sys.stdin.read()
    phone.stop_phones()
    return None


def call(folder: str, box: str, address: str, stays: str) -> object:
    """Let a citizen choose Uzbek, stay for `stays` seconds and hang up."""
    plan = CallPlan("patient", CALLER_NUMBER, ((2.0, "1"),), float(stays))
    no_phones = types.SimpleNamespace(box=box, list_rings=list)
    placed = callers.place_calls([plan], no_phones, address, Path(folder), HOTLINE_NUMBER)
    report = placed.wait_for_end(float(stays) + 120)[0]
    return {"answered": report.answered_at is not None, "ended_by": report.ended_by}


def options(box: str, address: str, tries: str = "5") -> object:
    """Send SIP OPTIONS from here; return the first line of the answer, or null."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((address, 0))
        phone.settimeout(1)
        own_address = f"{address}:{phone.getsockname()[1]}"
        for number in range(int(tries)):
            identifier = f"{time.time_ns()}"
            lines = [
                f"OPTIONS sip:{box} SIP/2.0",
                f"Via: SIP/2.0/UDP {own_address};branch=z9hG4bK{identifier}",
                f"From: <sip:check@{own_address}>;tag={number}",
                f"To: <sip:{box}>",
                f"Call-ID: {identifier}@{own_address}",
                "CSeq: 1 OPTIONS",
                f"Contact: <sip:check@{own_address}>",
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
    """Register six phones of extension 1001 with wrong passwords; return how many were refused."""
    refused_count = 0
    for number in range(6):
        phone = Phones(box, address, Path(folder), [Phone("1001", f"x{number}")])
        try:
            phone.register_all()
        except Exception:  # noqa: BLE001  whatever SIPp says of it
            refused_count += 1
    return refused_count


def forge(box: str, victim: str) -> object:
    """Send packets that Asterisk rejects, with another party's address; return their number."""
    requests = []
    for user in ("1001", "9999", "self-test", "check"):
        credentials = f'username="{user}", realm="asterisk", nonce="{int(time.time())}/{"0" * 32}"'
        digest = f'{credentials}, uri="sip:{box}", response="{"1" * 32}", algorithm=MD5'
        requests += [(user, ""), (user, f"Authorization: Digest {digest}\r\n")] * 10
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw_socket:
        for number, (user, authorization) in enumerate(requests):
            via = f"Via: SIP/2.0/UDP {victim}:5060;branch=z9hG4bK{time.time_ns()}"
            text = (
                f"REGISTER sip:{box} SIP/2.0\r\n{via}\r\nFrom: <sip:{user}@{box}>;tag={number}\r\n"
                f"To: <sip:{user}@{box}>\r\nCall-ID: {number}@{victim}\r\n"
                f"CSeq: {number} REGISTER\r\n"
                f"Contact: <sip:{user}@{victim}>\r\n{authorization}Content-Length: 0\r\n\r\n"
            ).encode()
            udp = struct.pack("!HHHH", 5060, 5060, 8 + len(text), 0) + text
            addresses = socket.inet_aton(victim) + socket.inet_aton(box)
            head = (
                struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0) + addresses
            )
            raw_socket.sendto(head + udp, (box, 0))
    return len(requests)


def ports(box: str, *port_numbers: str) -> object:
    """Return which of these TCP ports open from here; all are tried at the same time."""

    def is_open_port(port: str) -> bool:
        try:
            socket.create_connection((box, int(port)), 10).close()
        except OSError:
            return False
        return True

    with ThreadPoolExecutor(len(port_numbers)) as pool:
        results = zip(port_numbers, pool.map(is_open_port, port_numbers), strict=True)
        return [int(port) for port, is_open in results if is_open]


def half(box: str, address: str, max_count: str) -> object:
    """Open connections to the pages with half a request each; return how many were accepted.

    They remain open until standard input ends.
    """
    connections = []
    for _ in range(int(max_count)):
        connection = socket.socket()
        connection.bind((address, 0))
        connection.settimeout(2)
        try:
            connection.connect((box, 443))
            connection.sendall(b"\x16\x03\x01")
        except OSError:
            break
        connections.append(connection)
    print(json.dumps(len(connections)), flush=True)
    sys.stdin.read()
    return len(connections)


def page(box: str, name: str, authority: str, path: str) -> object:
    """Return the status of a page over TLS, verified against the authority."""
    context = ssl.create_default_context(cafile=authority)
    connection = http.client.HTTPSConnection(box, timeout=30, context=context)
    connection.sock = context.wrap_socket(
        socket.create_connection((box, 443), 30), server_hostname=name
    )
    connection.request("GET", path, headers={"Host": name})
    return connection.getresponse().status


def proxy(box: str, site: str) -> object:
    """Return the proxy's status for a browser that requests this site."""
    with socket.create_connection((box, 3128), 10) as connection:
        connection.settimeout(90)
        connection.sendall(f"CONNECT {site}:443 HTTP/1.1\r\nHost: {site}:443\r\n\r\n".encode())
        return int(connection.recv(200).split()[1])


def opened(box: str, site: str) -> object:
    """Return True if the proxy admits a browser to this site.

    The proxy is down while it reads its list.
    """
    try:
        return proxy(box, site) != 403
    except (ConnectionError, IndexError):
        return False


if __name__ == "__main__":
    parts = (phones, call, options, guess, forge, half, ports, page, proxy, opened)
    found = {part.__name__: part for part in parts}
    print(json.dumps(found[sys.argv[1]](*sys.argv[2:])))
