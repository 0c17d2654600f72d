"""The files of articles: PDF, DOCX, PNG, JPEG without programs, known by what is in them.

A file lies in the database, like those of change requests, and so in every snapshot. It is given
back as it came; only pictures are shown by the browser.
"""

import io
import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PureWindowsPath
from xml.etree import ElementTree

from appliance.casework.knowledge.errors import ArticleError
from appliance.core import clock
from appliance.models import Article, ArticleFile, ArticleVersion

LARGEST = 5 * 1024 * 1024  # bytes of one file
MOST = 10  # of one version
AT_ONCE = 35 * 1024 * 1024  # bytes of all that are sent by one form, beside its texts
UNPACKED = 50 * 1024 * 1024  # bytes that a DOCX may hold
ENTRIES = 2_000  # parts of a DOCX
PIXELS = 50_000_000  # of a picture
_NAME = 150  # characters

KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "png": "image/png",
    "jpeg": "image/jpeg",
}
SHOWN = ("png", "jpeg")  # which a browser shows in the article


def _spelt(name: str) -> str:
    """A name of a PDF: each of its letters may stand as its number."""
    return "".join(f"(?:{letter}|#(?i:{ord(letter):02x}))" for letter in name)


# What does something by itself. The bytes of a picture spell a name as short as JS by chance.
_ACTIVE_PDF = re.compile(
    rf"/(?:{'|'.join(map(_spelt, ('JavaScript', 'Launch', 'EmbeddedFile', 'RichMedia')))})\b"
    rf"|/{_spelt('JS')}\s*[(<\d]".encode()
)
_STREAM = re.compile(rb"stream\r?\n")
_OF_OBJECTS = re.compile(f"/{_spelt('ObjStm')}|/{_spelt('First')}".encode())
_FILTERED = re.compile(f"/{_spelt('Filter')}".encode())
_DEFLATED = re.compile(rb"/Filter\s*(?:/FlateDecode|\[\s*/FlateDecode\s*\])")
_HEAD = 2_000  # bytes before a stream that may tell what it is
_ACTIVE_DOCX = re.compile(
    r"vbaproject|vbadata|activex|oleobject|embeddings/.*[.](?!xlsx$)\w+$", re.IGNORECASE
)
_ACTIVE_TYPE = re.compile("macroenabled|vbaproject|vbadata|activex|oleobject", re.IGNORECASE)
_TAKES_IN = re.compile("/(aFChunk|subDocument|frame|oleObject|control)$", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\s*(?:https?:|ftp:|file:(?://[^/\\]|/{4}|/*\\\\)|\\\\|//)", re.IGNORECASE)
_DECLARES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")  # which no part of a document may
_TYPES = "[Content_Types].xml"
_PIECE = 64 * 1024
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ElementTree.ParseError),
    *(ValueError, RuntimeError, OSError, EOFError),  # a password, a method that is not known
)


@dataclass(frozen=True)
class Sent:
    """A file as it was sent."""

    name: str
    content: bytes


def kind_of(content: bytes) -> str:
    """The kind of a file in KINDS, by what is in it.

    Raises ArticleError: `file` when it is empty or larger than LARGEST, `kind` when it is none of
    KINDS or damaged, `macro` when it would do something by itself, `bomb` when it would unpack to
    more than a reader's machine bears.
    """
    if not 0 < len(content) <= LARGEST:
        raise ArticleError("file")
    if content.startswith(b"%PDF-"):
        return _pdf(content)
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _picture("png", _png_size(content))
    if content.startswith(b"\xff\xd8\xff"):
        return _picture("jpeg", _jpeg_size(content))
    if content.startswith(b"PK\x03\x04"):
        return _docx(content)
    raise ArticleError("kind")


def keep(version: ArticleVersion, stay: int, sent: list[Sent], by: str) -> list[int]:
    """Keep files with an article, inside the transaction of their cause; their ids.

    `stay`: how many the version shows beside them. Raises ArticleError as kind_of() does, and
    `many`.
    """
    kinds = [kind_of(one.content) for one in sent]
    if stay + len(sent) > MOST:
        raise ArticleError("many")
    now = clock.now()
    return [
        ArticleFile.create(
            article=version.article_id,
            name=_named(one.name, kind),
            kind=kind,
            size=len(one.content),
            content=one.content,
            at=now,
            who=by,
        ).id
        for one, kind in zip(sent, kinds, strict=True)
    ]


def of_version(version: ArticleVersion) -> list[ArticleFile]:
    """The files of a version in their order, without what is in them."""
    columns = (ArticleFile.id, ArticleFile.name, ArticleFile.kind, ArticleFile.size)
    theirs = ArticleFile.select(*columns).where(
        ArticleFile.article == version.article_id, ArticleFile.id.in_(version.files)
    )
    found = {row.id: row for row in theirs}
    return [found[number] for number in version.files if number in found]


def found(version: ArticleVersion, number: int) -> ArticleFile | None:
    """A file that a version shows, with what is in it; None when it shows none of that id."""
    if number not in version.files:
        return None
    return ArticleFile.get_or_none(
        ArticleFile.id == number, ArticleFile.article == version.article_id
    )


def forget(article: Article) -> None:
    """Remove the files of an article that no version shows, inside a transaction."""
    shown = [number for version in article.versions for number in version.files]
    gone = (ArticleFile.article == article, ArticleFile.id.not_in(shown))
    ArticleFile.delete().where(*gone).execute()


def _named(name: str, kind: str) -> str:
    """A file's own name, without folders and characters that nobody sees; its ending is true."""
    bare = "".join(c for c in PureWindowsPath(name).name if c.isprintable()).strip(". ")
    stem = bare.rpartition(".")[0] or bare or "file"
    return f"{stem[-_NAME:]}.{'jpg' if kind == 'jpeg' else kind}"


def _pdf(content: bytes) -> str:
    if b"%%EOF" not in content[-2048:]:
        raise ArticleError("kind")
    if _ACTIVE_PDF.search(content):
        raise ArticleError("macro")
    left = UNPACKED
    for stream in _STREAM.finditer(content):
        head = content[max(0, stream.start() - _HEAD) : stream.start()].rpartition(b"obj")[2]
        if _OF_OBJECTS.search(head) and _FILTERED.search(head):
            objects = _inflated(head, content[stream.end() :], left)
            left -= len(objects)
            if _ACTIVE_PDF.search(objects):
                raise ArticleError("macro")
    return "pdf"


def _inflated(head: bytes, packed: bytes, most: int) -> bytes:
    """Objects that a PDF holds packed; packed in a way that is not looked into they are refused."""
    if not _DEFLATED.search(head):
        raise ArticleError("macro")
    unpacking = zlib.decompressobj()
    try:
        objects = unpacking.decompress(packed, most + 1)
    except zlib.error as error:
        raise ArticleError("kind") from error
    if len(objects) > most:
        raise ArticleError("bomb")
    return objects


def _docx(content: bytes) -> str:
    try:
        names, told = _parts(content)
        active = any(map(_ACTIVE_DOCX.search, names)) or any(map(_is_active, told))
    except ArticleError:
        raise
    except _DAMAGED as error:
        raise ArticleError("kind") from error
    if active:
        raise ArticleError("macro")
    return "docx"


def _parts(content: bytes) -> tuple[set[str], list[bytes]]:
    """The names of a document's parts, and those that tell what the parts are and lead to.

    Each is unpacked, a piece at a time: what a ZIP says of its sizes may be untrue.
    """
    left, told = UNPACKED, []
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        if len(parts) > ENTRIES or sum(part.file_size for part in parts) > UNPACKED:
            raise ArticleError("bomb")
        for part in parts:
            if part.filename.startswith("/") or ".." in part.filename:
                raise ArticleError("kind")
            tells, pieces, begins = (
                part.filename.lower().endswith((_TYPES.lower(), ".rels")),
                [],
                True,
            )
            with packed.open(part) as opened:
                while piece := opened.read(_PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise ArticleError("bomb")
                    if begins and _DECLARES.search(piece.replace(b"\0", b"")):
                        raise ArticleError("bomb")
                    begins = False
                    if tells:
                        pieces.append(piece)
            if tells:
                told.append(b"".join(pieces))
        names = {part.filename for part in parts}
    if not {_TYPES, "word/document.xml"} <= names:
        raise ArticleError("kind")
    return names, told


def _is_active(part: bytes) -> bool:
    """Whether a document has macros, takes in another file, or fetches what it is made from.

    Read as XML: in another encoding, or by the numbers of its letters, it says the same.
    """
    for one in ElementTree.fromstring(part).iter():  # noqa: S314  bounded, and expat stops bombs
        kind, where = one.get("Type", ""), one.get("Target", "")
        if _ACTIVE_TYPE.search(one.get("ContentType", "")) or _TAKES_IN.search(kind):
            return True
        if not kind.endswith("/hyperlink") and _ELSEWHERE.match(where):
            return True
    return False


def _picture(kind: str, size: tuple[int, int] | None) -> str:
    if not size or not all(size):
        raise ArticleError("kind")
    if size[0] * size[1] > PIXELS:
        raise ArticleError("bomb")
    return kind


def _png_size(content: bytes) -> tuple[int, int] | None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Width and height by the frame's header; None when there is none."""
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        if marker == 0xFF:
            at += 1
        else:
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None
