"""The first inputs of the corpus, made by the appliance's own writers and the tests' helpers.

`python -m tests.rig.fuzz.seeds` writes them into the corpus.
"""

import io
import json
import struct
import tempfile
import zipfile
from pathlib import Path

import openpyxl

from appliance import PACKAGE
from appliance.core import signatures
from appliance.pbx import eventlog
from tests.rig.documents import make_docx, make_pdf
from tests.rig.fuzz.targets import CORPUS


def main() -> None:
    """Write each seed into the folder of its target."""
    for name, inputs in _seeds_by_target().items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(inputs, 1):
            (folder / f"seed-{number}").write_bytes(content)


def _seeds_by_target() -> dict[str, list[bytes]]:
    form = (PACKAGE / "data/forms/2.toml").read_bytes()
    return {
        "event_log": [_event_records(), b"garbage\n" + _event_records()[:200]],
        "sip": [_SIP_INVITE, _SIP_CHALLENGE],
        "smpp": [_SMPP_DELIVERY, _SMPP_RECEIPT, _SMPP_ALERT, _SMPP_DATA],
        "modem": [_MODEM_MESSAGES, b"\r\n+CDS: 25\r\n0006..\r\nERROR\r\n"],
        "docx": [_word_document()],
        "pdf": [make_pdf(), make_pdf(b"<</Type /Action /S /GoTo>>")],
        "script": [_word_document(), _script_sheet()],
        "csv": [b"code,name_uz_latn\n1,=SUM(A1)\n", 'kod;nomi\n1;"Soʻz; ikki"\n'.encode()],
        "settings": [
            b'timezone = "Asia/Tashkent"\n[web]\nport = 8000\n',
            b"[[backups]]\nurl = 1\n",
        ],
        "definitions": [form[:3000], json.dumps({"title": {"uz": "a"}, "steps": []}).encode()],
        "certificate": _public_keys(),
        "evidence": [_evidence_pack()],
    }


_SIP_INVITE = b"""INVITE sip:1220@127.0.0.1 SIP/2.0\r
Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKa;rport\r
From: "A" <sip:998901234567@127.0.0.2>;tag=1\r
To: <sip:1220@127.0.0.1>\r
Call-ID: a\r
CSeq: 1 INVITE\r
Contact: <sip:a@127.0.0.2:5060>\r
Content-Type: application/sdp\r
\r
v=0\r
c=IN IP4 127.0.0.2\r
m=audio 4000 RTP/AVP 8 101\r
a=rtpmap:101 telephone-event/8000\r
a=sendrecv\r
"""
_SIP_CHALLENGE = b"""SIP/2.0 401 Unauthorized\r
Via: SIP/2.0/UDP 127.0.0.2:5060;branch=z9hG4bKa\r
From: <sip:a@127.0.0.1>;tag=1\r
To: <sip:a@127.0.0.1>;tag=2\r
CSeq: 1 REGISTER\r
WWW-Authenticate: Digest realm="asterisk",nonce="1/a",opaque="b",algorithm=MD5,qop="auth"\r
\r
"""
_MODEM_MESSAGES = (
    b"\r\n+CMGL: 1,0,,30\r\n"
    b"0791448720003023240DD0E474D81C0EBB010000111011315214000BE474D81C0EBB5DE3771B\r\nOK\r\n"
)


def _make_pdu(command: int, body: bytes) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, 0, 1) + body


def _make_message(esm_class: int, text: bytes) -> bytes:
    addresses = b"\1\1998901234567\0\0\x011220\0"
    return _make_pdu(
        5,
        b"\0" + addresses + bytes((esm_class, 0, 0)) + b"\0\0\0\0\0\0" + bytes((len(text),)) + text,
    )


_SMPP_DELIVERY = _make_message(0, b"salom")
_SMPP_RECEIPT = _make_message(
    4, b"id:1 sub:001 dlvrd:001 done date:2611300000 stat:DELIVRD err:000 text:"
)
_SMPP_ALERT = _make_pdu(0x102, b"\1\x01998901234567\0\1\x011220\0")
_SMPP_DATA = _make_pdu(0x103, b"\0\1\x01998901234567\0\1\x011220\0\4\0\0\x04\x24\0\5salom")


def _event_records() -> bytes:
    fields = dict.fromkeys(eventlog.CEL_FIELDS, "")
    rows = [
        {
            "EventType": "CHAN_START",
            "ChanName": "PJSIP/trunk-00000001",
            "CallerIDnum": "998901234567",
        },
        {"EventType": "USER_DEFINED", "EventExtra": json.dumps({"extra": "menu=1&language=uz"})},
        {"EventType": "LINKEDID_END", "ChanName": 'PJSIP/10"1-00000002'},
    ]
    lines = []
    for row in rows:
        record = fields | {"EventTime": "1796000000.123456", "UniqueID": "1796000000.1"} | row
        record["LinkedID"] = "1796000000.1"
        lines.append(",".join('"' + value.replace('"', '""') + '"' for value in record.values()))
    return "".join(f"{line}\n" for line in lines).encode()


def _word_document() -> bytes:
    texts = ("Salomlashish", "Assalomu alaykum!", "Здравствуйте!")
    paragraphs = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in texts)
    cells = "".join(f"<w:tc>{paragraphs}</w:tc>" for _ in range(3))
    return make_docx(f"{paragraphs}<w:tbl><w:tr>{cells}</w:tr></w:tbl>".encode())


def _script_sheet() -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.create_sheet("Skript", 0)
    sheet.append(("Salom", "Assalomu alaykum! Yordam kerakmi?", "Здравствуйте!", None))
    book.save(file)
    return file.getvalue()


def _public_keys() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        private, public = Path(folder) / "key", Path(folder) / "pub"
        signatures.create_key_pair(private, public)
        return [public.read_bytes()]


def _evidence_pack() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr("manifest.sha256", f"{'0' * 64}  call.json\n")
        pack.writestr("manifest.sha256.sig", b"s" * 64)
        pack.writestr("public-key.pem", _public_keys()[0])
        pack.writestr("call.json", "{}")
    return file.getvalue()


if __name__ == "__main__":
    main()
