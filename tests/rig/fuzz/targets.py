"""The parsers of foreign bytes, each as a function of bytes that raises what is a defect.

A target calls the parser as the appliance does and lets pass only the errors that its callers
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
from appliance.casework.documents.errors import DocumentError
from appliance.casework.forms import definition as forms
from appliance.casework.scripts import definition as scripts
from appliance.core import settings, signatures, spreadsheets
from appliance.core.delivery import Trouble
from appliance.messaging.sms.providers.modem import Modem
from appliance.messaging.sms.providers.smpp import Smpp
from appliance.pbx import eventlog
from appliance.pbx.eventlog import Event
from appliance.reports.evidence import verifying
from appliance.sip import message

CORPUS = Path(__file__).parent / "corpus"
MAX_INPUT_BYTES = 65536


def read_event_log(data: bytes) -> None:
    """A log splits into pieces that cover it without a gap; each event can be used."""
    end = 0
    for piece in eventlog.pieces(data):
        assert piece.end == end + len(piece.text)
        end = piece.end
        if piece.event:
            use_event(piece.event)
        eventlog.linkedid_of(piece.text)
    assert end == len(data)


def use_event(event: Event) -> None:
    """Read whatever the ledger reads of an event."""
    assert event.fields
    assert event.fields_as_kept
    str((event.endpoint, event.is_e1, event.is_trunk, event.is_phone, event.phone))
    str((event.extra, event.faulty, event.unreadable, event.at.timestamp()))


def read_sip(data: bytes) -> None:
    """A datagram is a message with all that a user agent looks at, or none."""
    received = message.parse(data)
    if received is None:
        return
    assert received.status >= 0
    str((received.method, received.branch, received.get("contact")))
    if not received.status:
        assert received.uri
    for name in ("from", "to", "contact", "via"):
        message.user(received.get(name))
        message.parameter(received.get(name), "tag")
    message.session(received.body)
    challenge = received.get("www-authenticate")
    if challenge:
        message.authorization(challenge, "REGISTER", "sip:a", "name", "password")


def read_smpp(data: bytes) -> None:
    """A message centre sends anything at any moment: the line holds or is dropped."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(data[:MAX_INPUT_BYTES])
        there.shutdown(socket.SHUT_WR)
        gateway = Smpp("smpp", "127.0.0.1:1", "user", "password", "1234", answer=0.01)
        line = gateway._client()
        line._socket, line.state = here, "BOUND_TRX"
        here.settimeout(0.01)
        gateway._line = line
        with contextlib.suppress(Trouble):
            while select.select([here], [], [], 0)[0] and gateway._line:
                gateway.received()


class _ModemPort:
    """A serial port that holds all that a modem ever says."""

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
    """A modem's answers to the list of its messages, with whatever comes unasked."""
    modem = Modem("modem", "/dev/null", quick=0.0, long=0.0)
    modem._port = _ModemPort(data)
    with contextlib.suppress(Trouble):
        modem.received()
        modem.received()


def read_file(data: bytes) -> None:
    """An article's document, as the process of documents reads it."""
    with contextlib.suppress(DocumentError, MemoryError, RecursionError):
        file_kinds.kind_of(data)


def read_pdf(data: bytes) -> None:
    """The same of bytes that begin and end as a PDF does."""
    read_file(data if data.startswith(b"%PDF-") else b"%PDF-1.7\n" + data + b"\n%%EOF\n")


def read_script(data: bytes) -> None:
    """A script's Word document or spreadsheet, as the process of documents reads it."""
    with contextlib.suppress(DocumentError, MemoryError, RecursionError):
        script_text.steps_of(data)


def read_csv(data: bytes) -> None:
    """A list's file, as far as the columns; cells lose what an office program would run."""
    lines = data.decode("utf-8", "replace").lstrip("\ufeff").splitlines(keepends=True)
    delimiter = ";" if lines and ";" in lines[0] else ","
    with contextlib.suppress(csv.Error):
        for row in csv.DictReader(lines, delimiter=delimiter):
            for cell in row.values():
                spreadsheets.typed(cell if isinstance(cell, str) else "")


def read_settings(data: bytes) -> None:
    """A settings file: read, or refused with a SettingsError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "appliance.toml"
        file.write_bytes(data)
        with contextlib.suppress(settings.SettingsError):
            settings.load(file)


def read_definitions(data: bytes) -> None:
    """A form or a script in TOML or JSON."""
    try:
        text = data.decode()
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(forms.DefinitionError):
        if isinstance(document, dict):
            forms.parse("1", 1, document)
    with contextlib.suppress(scripts.DefinitionError):
        scripts.parse(document)


def read_certificate(data: bytes) -> None:
    """Keys and certificates in PEM, as self-checks and signatures read them."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(signatures.KeyTrouble):
            signatures.is_signed(b"body", b"s" * 64, file.name, "a setting")
        with contextlib.suppress(signatures.KeyTrouble):
            signatures.public_keys(file.name, "a setting")
        certificate = certificates._read(Path(file.name))
        if certificate:
            certificates._names(certificate)


def read_evidence(data: bytes) -> None:
    """An evidence pack: verified, or refused with one of the errors that verify() names."""
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(ValueError, OSError):
            verifying.verify(Path(file.name), "")


TARGETS: dict[str, Callable[[bytes], None]] = {
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


def corpus(name: str) -> list[Path]:
    """The inputs of a target that are known to reach something."""
    return sorted((CORPUS / name).iterdir())
