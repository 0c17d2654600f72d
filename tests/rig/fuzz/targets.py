"""The parsers of foreign bytes, each as a function of bytes that raises only for a defect.

A target calls the parser as the appliance does and suppresses only the errors that its callers
handle. Anything else that it raises is a defect.
"""

import contextlib
import csv
import io
import json
import select
import socket
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

from appliance.box.health import certificates
from appliance.casework.documents import file_kinds, script_text
from appliance.casework.forms import definition as forms
from appliance.casework.scripts import definition as scripts
from appliance.core import settings, signatures, spreadsheets
from appliance.core.delivery import DeliveryError
from appliance.core.refusals import Refused
from appliance.messaging.sms.providers.modem import Modem
from appliance.messaging.sms.providers.smpp import Smpp
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.reports.evidence import verification
from appliance.sip import message

CORPUS = Path(__file__).parent / "corpus"
MAX_INPUT_BYTES = 65536


def read_event_log(data: bytes) -> None:
    """A log splits into pieces that cover it without a gap; each event can be used."""
    end = 0
    for piece in eventlog.split_log(data):
        assert piece.end == end + len(piece.text)
        end = piece.end
        if piece.event:
            use_event(piece.event)
        eventlog.linkedid_of_fragment(piece.text)
    assert end == len(data)


def use_event(event: Event) -> None:
    """Read everything that the ledger reads of an event."""
    assert event.fields
    assert event.fields_json
    str((event.endpoint, event.is_e1, event.is_trunk, event.is_phone, event.dialling_phone))
    str((event.extra, event.is_faulty, event.has_unreadable_facts, event.at.timestamp()))


def read_sip(data: bytes) -> None:
    """A datagram is a message with everything that a user agent reads, or is refused."""
    received = message.parse_message(data)
    if received is None:
        return
    assert received.status >= 0
    str((received.method, received.branch, received.get("contact")))
    if not received.status:
        assert received.uri
    for name in ("from", "to", "contact", "via"):
        message.header_user(received.get(name))
        message.find_parameter(received.get(name), "tag")
    message.parse_session(received.body)
    challenge = received.get("www-authenticate")
    if challenge:
        message.digest_authorization(challenge, "REGISTER", "sip:a", "name", "password")


def read_smpp(data: bytes) -> None:
    """A message centre sends anything at any time: the line survives or is dropped."""
    our_socket, centre_socket = socket.socketpair()
    with our_socket, centre_socket:
        centre_socket.sendall(data[:MAX_INPUT_BYTES])
        centre_socket.shutdown(socket.SHUT_WR)
        gateway = Smpp("smpp", "127.0.0.1:1", "user", "password", "1234", answer_seconds=0.01)
        line = gateway._create_client()
        line._socket, line.state = our_socket, "BOUND_TRX"
        our_socket.settimeout(0.01)
        gateway._line = line
        with contextlib.suppress(DeliveryError):
            while select.select([our_socket], [], [], 0)[0] and gateway._line:
                gateway.receive_pending()


class _ModemPort:
    """A serial port with all the bytes that a modem ever sends."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)
        self.in_waiting = len(data)

    def read(self, size: int) -> bytes:
        self.in_waiting = 0
        return self._data.read(size)

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


def read_modem(data: bytes) -> None:
    """A modem's answers to the list of its messages, mixed with unsolicited lines."""
    modem = Modem("modem", "/dev/null", answer_seconds=0.0, network_seconds=0.0)
    modem._port = _ModemPort(data)
    with contextlib.suppress(DeliveryError):
        modem.receive_pending()
        modem.receive_pending()


def read_file(data: bytes) -> None:
    """An article's document, as the process of documents reads it."""
    with contextlib.suppress(Refused, MemoryError, RecursionError):
        file_kinds.detect_file_kind(data)


def read_pdf(data: bytes) -> None:
    """As `read_file`, with bytes that begin and end like a PDF."""
    read_file(data if data.startswith(b"%PDF-") else b"%PDF-1.7\n" + data + b"\n%%EOF\n")


def read_script(data: bytes) -> None:
    """A script's Word document or spreadsheet, as the process of documents reads it."""
    with contextlib.suppress(Refused, MemoryError, RecursionError):
        script_text.steps_of(data)


def read_csv(data: bytes) -> None:
    """A list's file, as far as the columns; cells lose what an office program would run."""
    lines = data.decode("utf-8", "replace").lstrip("\ufeff").splitlines(keepends=True)
    delimiter = ";" if lines and ";" in lines[0] else ","
    with contextlib.suppress(csv.Error):
        for row in csv.DictReader(lines, delimiter=delimiter):
            for cell in row.values():
                spreadsheets.unescape_formulas(cell if isinstance(cell, str) else "")


def read_settings(data: bytes) -> None:
    """A settings file: read, or refused with a SettingsError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "appliance.toml"
        file.write_bytes(data)
        with contextlib.suppress(settings.SettingsError):
            settings.load_settings(file)


def read_definitions(data: bytes) -> None:
    """A form or a script in TOML or JSON."""
    try:
        text = data.decode()
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(Refused):
        if isinstance(document, dict):
            forms.parse_definition("1", 1, document)
    with contextlib.suppress(Refused):
        scripts.parse_definition(document)


def read_certificate(data: bytes) -> None:
    """Keys and certificates in PEM, as self-checks and signatures read them."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(signatures.SigningKeyError):
            signatures.is_signature_valid(b"body", b"s" * 64, file.name, "a setting")
        with contextlib.suppress(signatures.SigningKeyError):
            signatures.public_keys(file.name, "a setting")
        certificate = certificates._read_certificate(Path(file.name))
        if certificate:
            certificates._certificate_names(certificate)


def read_evidence(data: bytes) -> None:
    """An evidence pack is verified, or refused with one of the documented errors of verify()."""
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(ValueError, OSError):
            verification.verify_pack(Path(file.name), "")


FUZZ_TARGETS: dict[str, Callable[[bytes], None]] = {
    "event_log": read_event_log,
    "sip": read_sip,
    "smpp": read_smpp,
    "modem": read_modem,
    "docx": read_file,
    "pdf": read_pdf,
    "script": read_script,
    "csv": read_csv,
    "settings": read_settings,
    "definitions": read_definitions,
    "certificate": read_certificate,
    "evidence": read_evidence,
}


def corpus_files(name: str) -> list[Path]:
    """The inputs of a target that are known to reach a branch."""
    return sorted((CORPUS / name).iterdir())
