"""Documents that people send, read in a sandboxed process of their own.

A document of a kilobyte can ask its reader for gigabytes. So no page opens one: each is handed to
`python -m appliance.casework.documents.reader` in the sandbox, with bounded memory and time, no
network and no files.
"""

import json
import logging
import subprocess
import threading
from typing import Any

from appliance.casework.documents.errors import DocumentError
from appliance.core import sandbox

MEMORY_BYTES = 256 * 1024 * 1024
SECONDS = 10
READERS_AT_ONCE = 2

PDF_BEGINNING = b"%PDF-"
ZIP_BEGINNING = b"PK\x03\x04"

__all__ = ["PDF_BEGINNING", "ZIP_BEGINNING", "DocumentError", "file_kind", "script_steps"]

_MODULE = "appliance.casework.documents.reader"
_FAILED = 1  # exit status of a reader that meets an error it does not expect
_DAMAGED = {"file": "kind", "script": "file"}  # code of a damaged document, by purpose
_log = logging.getLogger(__name__)
_slots = threading.BoundedSemaphore(READERS_AT_ONCE)


def file_kind(content: bytes) -> str:
    """The kind of an article's file (file_kinds.KINDS), by what is in it.

    Raises DocumentError: `file` when it is empty or too large, `kind` when it is no such file or
    damaged, `macro` when it would do something by itself, `bomb` when it needs more memory or time
    than a reader has; and sandbox.SandboxError where the machine cannot make the sandbox.
    """
    return str(_read("file", content))


def script_steps(content: bytes) -> list[dict[str, Any]]:
    """The steps that a Word document or a spreadsheet describes: name, said, note, answers.

    Raises DocumentError: `file`, `bomb`, `macro`, `empty`, `steps`; and
    sandbox.SandboxError.
    """
    steps: list[dict[str, Any]] = _read("script", content)
    return steps


def _read(purpose: str, content: bytes) -> Any:
    with _slots:
        try:
            printed = sandbox.run_python(
                _MODULE,
                purpose,
                content=content,
                seconds=SECONDS,
                memory=MEMORY_BYTES,
            )
        except subprocess.TimeoutExpired as error:
            raise DocumentError("bomb") from error
        except subprocess.CalledProcessError as error:
            if error.returncode != _FAILED:  # ended by a bound
                raise DocumentError("bomb") from error
            _log.error("a document cannot be read (%s): %s", purpose, error.stderr)
            raise DocumentError(_DAMAGED[purpose]) from error
    answer = json.loads(printed)
    if "refused" in answer:
        raise DocumentError(answer["refused"])
    return answer["result"]
