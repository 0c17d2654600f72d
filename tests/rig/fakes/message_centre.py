"""A message centre that speaks SMPP 3.4 on loopback, and misbehaves as configured.

Built from smpplib's own PDU classes. The servers on PyPI answer a submit_sm without a message_id or
do not know receipts.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts, smpp
from smpplib.client import SimpleSequenceGenerator

SEQUENCE_NUMBERS = SimpleSequenceGenerator()


@dataclass
class MessageCentre:
    """A fake message centre.

    `moods`: the answers to the next message parts: ok | busy | bad_number | fault | silent | cut;
    ok when the list is empty.
    """

    url: str = ""
    password: str = "secret"
    moods: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)  # id → message_state
    submits: list[Any] = field(default_factory=list)  # of submit_sm
    bind_count: int = 0
    enquiry_count: int = 0
    acknowledged_sequences: list[int] = field(default_factory=list)  # of deliver_sm
    _socket: socket.socket | None = None

    def deliver_message(self, text: bytes, **fields: Any) -> None:
        """Send a deliver_sm over the open line."""
        fields = {"source_addr": "998935550147", "destination_addr": "1282"} | fields
        fields = {"source_addr_ton": 1, "source_addr_npi": 1, "data_coding": 0} | fields
        pdu = smpp.make_pdu("deliver_sm", client=SEQUENCE_NUMBERS, short_message=text, **fields)
        pdu.sequence = 7000 + len(self.acknowledged_sequences)
        assert self._socket
        self._socket.sendall(pdu.generate())

    def send_receipt(self, id: str, state: str) -> None:
        """Send the receipt that reports the final state of a message."""
        text = f"id:{id} sub:001 dlvrd:001 submit date:2611260900 done date:2611260901 stat:{state}"
        self.deliver_message(text.encode(), esm_class=4)

    def send_enquiry(self) -> None:
        """Send an enquire_link."""
        assert self._socket
        self._socket.sendall(smpp.make_pdu("enquire_link", client=SEQUENCE_NUMBERS).generate())

    def close_line(self) -> None:
        """Close the open line."""
        if self._socket:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


_MOOD_STATUS = {
    "ok": consts.SMPP_ESME_ROK,
    "busy": consts.SMPP_ESME_RTHROTTLED,
    "bad_number": consts.SMPP_ESME_RINVDSTADR,
    "fault": consts.SMPP_ESME_RSYSERR,
    "bad_sender": consts.SMPP_ESME_RINVSRCADR,
}


@contextlib.contextmanager
def run_message_centre() -> Iterator[MessageCentre]:
    """A message centre that listens until the end of the block."""
    fake = MessageCentre()
    server = socket.create_server(("127.0.0.1", 0))
    fake.url = f"127.0.0.1:{server.getsockname()[1]}"
    lines: list[socket.socket] = []

    def accept_lines() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            lines.append(line)
            with contextlib.suppress(OSError):
                _serve_line(fake, line)
            line.close()

    thread = threading.Thread(target=accept_lines)
    thread.start()
    try:
        yield fake
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        thread.join()


def _serve_line(fake: MessageCentre, line: socket.socket) -> None:
    fake._socket = line
    while data := _read_pdu(line):
        request = smpp.parse_pdu(data, client=SEQUENCE_NUMBERS, allow_unknown_opt_params=True)
        if request.command == "bind_transceiver":
            fake.bind_count += 1
            is_wrong = request.password != fake.password.encode()
            status = consts.SMPP_ESME_RINVPASWD if is_wrong else consts.SMPP_ESME_ROK
            _send_response(line, request, "bind_transceiver_resp", status, system_id="centre")
        elif request.command == "submit_sm":
            mood = fake.moods.pop(0) if fake.moods else "ok"
            if mood in ("ok", "silent", "cut"):
                fake.submits.append(request)
            if mood == "cut":
                return
            if mood != "silent":
                id = f"c{len(fake.submits)}" if mood == "ok" else ""
                _send_response(line, request, "submit_sm_resp", _MOOD_STATUS[mood], message_id=id)
        elif request.command == "query_sm":
            id = request.message_id.decode()
            state = fake.states.get(id, 0)
            status = consts.SMPP_ESME_ROK if state else consts.SMPP_ESME_RINVMSGID
            fields = {"message_id": id, "final_date": "", "message_state": state, "error_code": 0}
            _send_response(line, request, "query_sm_resp", status, **fields)
        elif request.command == "enquire_link":
            fake.enquiry_count += 1
            _send_response(line, request, "enquire_link_resp", consts.SMPP_ESME_ROK)
        elif request.command == "deliver_sm_resp":
            fake.acknowledged_sequences.append(request.sequence)
        elif request.command == "unbind":
            _send_response(line, request, "unbind_resp", consts.SMPP_ESME_ROK)
            return


def _send_response(
    line: socket.socket, request: Any, command: str, status: int, **fields: Any
) -> None:
    pdu = smpp.make_pdu(command, client=SEQUENCE_NUMBERS, status=status, **fields)
    pdu.sequence = request.sequence
    line.sendall(pdu.generate())


def _read_pdu(line: socket.socket) -> bytes:
    head = line.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return b""
    return head + line.recv(struct.unpack(">L", head)[0] - 4, socket.MSG_WAITALL)
