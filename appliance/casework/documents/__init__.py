"""Reads uploaded documents in a sandboxed process.

A document of one kilobyte can make its parser use gigabytes. So no page parses one in its own
process: each document is passed to `python -m appliance.casework.documents.reader` in the sandbox,
with limited memory and time, no network and no files.
"""

import json
import logging
import subprocess
import threading
from typing import Any

from appliance.core import sandbox
from appliance.core.refusals import Refused

MAX_READER_MEMORY_BYTES = 256 * 1024 * 1024
READ_TIMEOUT_SECONDS = 10
MAX_PARALLEL_READERS = 2

PDF_SIGNATURE = b"%PDF-"
ZIP_SIGNATURE = b"PK\x03\x04"

__all__ = ["PDF_SIGNATURE", "ZIP_SIGNATURE", "file_kind", "script_steps"]

_READER_MODULE = "appliance.casework.documents.reader"
_FAILED_EXIT_STATUS = 1  # exit status of a reader that met an unexpected error
_DAMAGED_FILE_CODES = {"file": "kind", "script": "file"}  # refusal of a damaged file, by purpose
_log = logging.getLogger(__name__)
_reader_slots = threading.BoundedSemaphore(MAX_PARALLEL_READERS)


def file_kind(content: bytes) -> str:
    """Return the kind of an article's file (`pdf` or `docx`) after checking its content.

    The file is read by a process in the sandbox, which may take seconds. Raises Refused with the
    code `kind` if it is of another kind or damaged, `macro` if it contains active content, `bomb`
    if reading it takes more memory or time than a reader process has; and sandbox.SandboxError if
    the machine cannot create the sandbox.
    """
    return str(_read_document("file", content))


def script_steps(content: bytes) -> list[dict[str, Any]]:
    """Return the steps of a script that a Word document or a spreadsheet describes.

    A step has the keys `name`, `said` (what the operator says), `note` (for the operator), each a
    text by language, and `answers`, a list of texts by language.

    Raises Refused with the code `file` if it is of another kind or damaged, `macro` if it contains
    macros, `bomb` if reading it takes too much memory or time, `empty` if it has no step, `steps`
    if it has too many; and sandbox.SandboxError as file_kind() does.
    """
    steps: list[dict[str, Any]] = _read_document("script", content)
    return steps


def _read_document(purpose: str, content: bytes) -> Any:
    """Read a document in the sandbox for `purpose`, "file" or "script"; returns the result.

    That is the result of file_kind() or of script_steps(). Raises Refused with the code that the
    reader reports, `bomb` if it exceeds a limit.
    """
    with _reader_slots:
        try:
            output = sandbox.run_python(
                _READER_MODULE,
                purpose,
                content=content,
                seconds=READ_TIMEOUT_SECONDS,
                memory_bytes=MAX_READER_MEMORY_BYTES,
            )
        except subprocess.TimeoutExpired as error:
            raise Refused("bomb") from error
        except subprocess.CalledProcessError as error:
            if error.returncode != _FAILED_EXIT_STATUS:  # ended by a memory or time limit
                raise Refused("bomb") from error
            _log.error("a document cannot be read (%s): %s", purpose, error.stderr)
            raise Refused(_DAMAGED_FILE_CODES[purpose]) from error
    reply = json.loads(output)
    if "refused" in reply:
        raise Refused(reply["refused"])
    return reply["result"]
