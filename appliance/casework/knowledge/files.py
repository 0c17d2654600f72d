"""The files of articles: PDF, DOCX, PNG, JPEG without programs, identified by their content.

A file is stored in the database, like those of change requests, and is so part of every snapshot.
It is returned unchanged, as a download; only images are shown within the article.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PureWindowsPath

from appliance.casework import documents
from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import Article, ArticleFile, ArticleVersion

MAX_FILE_BYTES = 5 * 1024 * 1024  # bytes of one file
MAX_FILES_PER_VERSION = 10  # of one version
MAX_REQUEST_BYTES = 35 * 1024 * 1024  # bytes of all files sent by one form, not counting its texts
MAX_IMAGE_PIXELS = 50_000_000  # of an image
_MAX_NAME_LENGTH = 150  # characters

MIME_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "png": "image/png",
    "jpeg": "image/jpeg",
}
INLINE_KINDS = ("png", "jpeg")  # shown by the browser within the article


@dataclass(frozen=True)
class UploadedFile:
    """A file as it was uploaded, not checked yet."""

    name: str
    content: bytes


def detect_kind(content: bytes) -> str:
    """Return the kind of a file (a key of MIME_TYPES), detected from its content.

    Raises Refused with the code `file` if it is empty or larger than MAX_FILE_BYTES, `kind` if it
    is of another kind or damaged, `macro` if it contains active content, `bomb` if reading it takes
    more memory or time than is allowed.
    """
    if not 0 < len(content) <= MAX_FILE_BYTES:
        raise Refused("file")
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _check_image("png", _png_size(content))
    if content.startswith(b"\xff\xd8\xff"):
        return _check_image("jpeg", _jpeg_size(content))
    if not content.startswith((documents.PDF_SIGNATURE, documents.ZIP_SIGNATURE)):
        raise Refused("kind")
    return documents.file_kind(content)


@dataclass(frozen=True)
class CheckedFile:
    """A file with checked content: its name with the correct ending, its kind in MIME_TYPES."""

    name: str
    kind: str
    content: bytes


def check_uploads(uploads: Iterable[UploadedFile]) -> list[CheckedFile]:
    """Return the files with their kinds and corrected names, ready to be stored.

    It is called before the transaction that stores them, because each check may take seconds.
    Raises Refused with the code `many` for more than MAX_FILES_PER_VERSION files, and the codes of
    detect_kind().
    """
    files = list(uploads)
    if len(files) > MAX_FILES_PER_VERSION:
        raise Refused("many")
    kinds = [detect_kind(file.content) for file in files]
    return [
        CheckedFile(_safe_file_name(file.name, kind), kind, file.content)
        for file, kind in zip(files, kinds, strict=True)
    ]


def store_files(
    version: ArticleVersion, remaining_count: int, files: list[CheckedFile], actor: str
) -> list[int]:
    """Store files of an article's version, in the caller's transaction; returns their ids.

    The caller adds the ids to the version's `files`. `remaining_count`: how many other files the
    version has; `actor`: the login of the user who uploaded them. Raises Refused with the code
    `many` if the version would have more than MAX_FILES_PER_VERSION.
    """
    if remaining_count + len(files) > MAX_FILES_PER_VERSION:
        raise Refused("many")
    now = clock.now()
    return [
        ArticleFile.create(
            article=version.article_id,
            name=file.name,
            kind=file.kind,
            size=len(file.content),
            content=file.content,
            at=now,
            who=actor,
        ).id
        for file in files
    ]


def version_files(version: ArticleVersion) -> list[ArticleFile]:
    """Return the files of a version in their order, without their content."""
    columns = (ArticleFile.id, ArticleFile.name, ArticleFile.kind, ArticleFile.size)
    rows = ArticleFile.select(*columns).where(
        ArticleFile.article == version.article_id, ArticleFile.id.in_(version.files)
    )
    files_by_id = {row.id: row for row in rows}
    return [files_by_id[number] for number in version.files if number in files_by_id]


def find_file(version: ArticleVersion, number: int) -> ArticleFile | None:
    """Return the version's file with this id, if it has one, with its content."""
    if number not in version.files:
        return None
    return find_row(ArticleFile, id=number, article=version.article_id)


def delete_unused_files(article: Article) -> None:
    """Delete the files of an article that no version has any more, in the caller's transaction."""
    used_ids = [number for version in article.versions for number in version.files]
    is_unused = (ArticleFile.article == article, ArticleFile.id.not_in(used_ids))
    ArticleFile.delete().where(*is_unused).execute()


def _safe_file_name(name: str, kind: str) -> str:
    """Return a file's name without folders and invisible characters, with its kind's ending."""
    clean_name = "".join(
        character for character in PureWindowsPath(name).name if character.isprintable()
    ).strip(". ")
    stem = clean_name.rpartition(".")[0] or clean_name or "file"
    return f"{stem[-_MAX_NAME_LENGTH:]}.{'jpg' if kind == 'jpeg' else kind}"


def _check_image(kind: str, size: tuple[int, int] | None) -> str:
    """Return the kind if the image's size, (width, height) in pixels, is valid.

    Raises Refused with the code `kind` if the size is unknown or has a 0, because the image is
    damaged; `bomb` for more than MAX_IMAGE_PIXELS, which would fill a browser's memory.
    """
    if not size or not all(size):
        raise Refused("kind")
    if size[0] * size[1] > MAX_IMAGE_PIXELS:
        raise Refused("bomb")
    return kind


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels from a PNG file's header, if it is complete."""
    if len(content) < 33 or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels from a JPEG file's frame header, if it has one."""
    position = 2
    while position + 9 < len(content):
        if content[position] != 0xFF:
            return None
        marker = content[position + 1]
        # a frame header; the excluded markers of this range begin tables and extensions
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[position + 5 : position + 9])
            return width, height
        if marker == 0xFF:  # a fill byte
            position += 1
        else:
            position += 2 + int.from_bytes(content[position + 2 : position + 4])
    return None
