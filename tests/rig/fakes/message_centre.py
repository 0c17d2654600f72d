"""A message centre that speaks SMPP 3.4, on loopback; behaves as badly as it is told to.

Made of smpplib's own PDU classes. The servers on PyPI answer a submit_sm without a message_id or
know no receipts.
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

NUMBERS = SimpleSequenceGenerator()


@dataclass
class Centre:
    """`moods` says how the next parts are answered: ok | busy | bad_number | fault | silent | cut;
    when it is empty, ok."""

    url: str = ""
    password: str = "secret"
    moods: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)  # id → message_state
    took: list[Any] = field(default_factory=list)  # submit_sm
    binds: int = 0
    enquiries: int = 0
    acknowledged: list[int] = field(default_factory=list)  # sequences of deliver_sm
    _line: socket.socket | None = None

    def tell(self, text: bytes, **fields: Any) -> None:
        """Send a deliver_sm over the open line."""
        fields = {"source_addr": "998935550147", "destination_addr": "1282"} | fields
        fields = {"source_addr_ton": 1, "source_addr_npi": 1, "data_coding": 0} | fields
        pdu = smpp.make_pdu("deliver_sm", client=NUMBERS, short_message=text, **fields)
        pdu.sequence = 7000 + len(self.acknowledged)
        assert self._line
        self._line.sendall(pdu.generate())

    def receipt(self, id: str, word: str) -> None:
        """Tell what became of a message."""
        text = f"id:{id} sub:001 dlvrd:001 submit date:2611260900 done date:2611260901 stat:{word}"
        self.tell(text.encode(), esm_class=4)

    def ask_whether_there(self) -> None:
        """Send an enquire_link."""
        assert self._line
        self._line.sendall(smpp.make_pdu("enquire_link", client=NUMBERS).generate())

    def cut(self) -> None:
        """Hang up."""
        if self._line:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


_STATUS = {
    "ok": consts.SMPP_ESME_ROK,
    "busy": consts.SMPP_ESME_RTHROTTLED,
    "bad_number": consts.SMPP_ESME_RINVDSTADR,
    "fault": consts.SMPP_ESME_RSYSERR,
    "bad_sender": consts.SMPP_ESME_RINVSRCADR,
}


@contextlib.contextmanager
def centre() -> Iterator[Centre]:
    """The centre, listening until the end of the block."""
    here = Centre()
    server = socket.create_server(("127.0.0.1", 0))
    here.url = f"127.0.0.1:{server.getsockname()[1]}"
    lines: list[socket.socket] = []

    def listen() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            lines.append(line)
            with contextlib.suppress(OSError):
                _serve(here, line)
            line.close()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield here
    finally:
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        thread.join()


def _serve(here: Centre, line: socket.socket) -> None:
    here._line = line
    while data := _pdu(line):
        asked = smpp.parse_pdu(data, client=NUMBERS, allow_unknown_opt_params=True)
        if asked.command == "bind_transceiver":
            here.binds += 1
            wrong = asked.password != here.password.encode()
            status = consts.SMPP_ESME_RINVPASWD if wrong else consts.SMPP_ESME_ROK
            _say(line, asked, "bind_transceiver_resp", status, system_id="centre")
        elif asked.command == "submit_sm":
            mood = here.moods.pop(0) if here.moods else "ok"
            if mood in ("ok", "silent", "cut"):
                here.took.append(asked)
            if mood == "cut":
                return
            if mood != "silent":
                id = f"c{len(here.took)}" if mood == "ok" else ""
                _say(line, asked, "submit_sm_resp", _STATUS[mood], message_id=id)
        elif asked.command == "query_sm":
            id = asked.message_id.decode()
            state = here.states.get(id, 0)
            status = consts.SMPP_ESME_ROK if state else consts.SMPP_ESME_RINVMSGID
            fields = {"message_id": id, "final_date": "", "message_state": state, "error_code": 0}
            _say(line, asked, "query_sm_resp", status, **fields)
        elif asked.command == "enquire_link":
            here.enquiries += 1
            _say(line, asked, "enquire_link_resp", consts.SMPP_ESME_ROK)
        elif asked.command == "deliver_sm_resp":
            here.acknowledged.append(asked.sequence)
        elif asked.command == "unbind":
            _say(line, asked, "unbind_resp", consts.SMPP_ESME_ROK)
            return


def _say(line: socket.socket, asked: Any, command: str, status: int, **fields: Any) -> None:
    pdu = smpp.make_pdu(command, client=NUMBERS, status=status, **fields)
    pdu.sequence = asked.sequence
    line.sendall(pdu.generate())


def _pdu(line: socket.socket) -> bytes:
    head = line.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return b""
    return head + line.recv(struct.unpack(">L", head)[0] - 4, socket.MSG_WAITALL)
