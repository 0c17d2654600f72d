"""The files of articles: PDF, DOCX, PNG, JPEG without programs, known by what is in them.

A file lies in the database, like those of change requests, and so in every snapshot. It is given
back as it came; only pictures are shown by the browser.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PureWindowsPath

from appliance.casework import documents
from appliance.casework.knowledge.errors import ArticleError
from appliance.core import clock
from appliance.models import Article, ArticleFile, ArticleVersion

LARGEST = 5 * 1024 * 1024  # bytes of one file
MOST = 10  # of one version
AT_ONCE = 35 * 1024 * 1024  # bytes of all that are sent by one form, beside its texts
PIXELS = 50_000_000  # of a picture
_NAME = 150  # characters

KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "png": "image/png",
    "jpeg": "image/jpeg",
}
SHOWN = ("png", "jpeg")  # which a browser shows in the article


@dataclass(frozen=True)
class Sent:
    """A file as it was sent."""

    name: str
    content: bytes


def kind_of(content: bytes) -> str:
    """The kind of a file in KINDS, by what is in it.

    Raises ArticleError: `file` when it is empty or larger than LARGEST, `kind` when it is none of
    KINDS or damaged, `macro` when it would do something by itself, `bomb` when it needs more
    memory or time than a reader has.
    """
    if not 0 < len(content) <= LARGEST:
        raise ArticleError("file")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _picture("png", _png_size(content))
    if content.startswith(b"\xff\xd8\xff"):
        return _picture("jpeg", _jpeg_size(content))
    if not content.startswith((documents.PDF_BEGINNING, documents.ZIP_BEGINNING)):
        raise ArticleError("kind")
    try:
        return documents.file_kind(content)
    except documents.DocumentError as error:
        raise ArticleError(error.code) from error


@dataclass(frozen=True)
class CheckedFile:
    """A file whose content was looked at: its own name with a true ending, its kind in KINDS."""

    name: str
    kind: str
    content: bytes


def check(sent: Iterable[Sent]) -> list[CheckedFile]:
    """Look at files before the transaction that stores them: each may take seconds.

    Raises ArticleError as kind_of() does, and `many`.
    """
    files = list(sent)
    if len(files) > MOST:
        raise ArticleError("many")
    kinds = [kind_of(file.content) for file in files]
    return [
        CheckedFile(_named(file.name, kind), kind, file.content)
        for file, kind in zip(files, kinds, strict=True)
    ]


def keep(version: ArticleVersion, stay: int, files: list[CheckedFile], by: str) -> list[int]:
    """Keep files with an article, inside the transaction of their cause; their ids.

    `stay`: how many other files the version shows. Raises ArticleError: `many`.
    """
    if stay + len(files) > MOST:
        raise ArticleError("many")
    now = clock.now()
    return [
        ArticleFile.create(
            article=version.article_id,
            name=file.name,
            kind=file.kind,
            size=len(file.content),
            content=file.content,
            at=now,
            who=by,
        ).id
        for file in files
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
