"""The process that parses documents: `python -m appliance.casework.documents.reader PURPOSE`.

Reads the document from standard input and prints one JSON object: `result`, or `refused` with the
code of a Refused. It runs in the sandbox (core.sandbox.run_python), which limits its memory and
time.
"""

import importlib
import json
import sys

from appliance.core.refusals import Refused

# The module of this package, and its function, for each purpose. Only the module that is needed is
# imported.
_PURPOSE_READERS = {
    "file": ("file_kinds", "detect_file_kind"),
    "script": ("script_text", "steps_of"),
}


def main(purpose: str) -> None:
    """Parse the document on standard input for `purpose`, a key of _PURPOSE_READERS.

    Prints the reply to documents._read_document(), which starts this process: {"result": …}, or
    {"refused": code} if the document is refused.
    """
    name, function = _PURPOSE_READERS[purpose]
    module = importlib.import_module(f"appliance.casework.documents.{name}")
    try:
        reply = {"result": getattr(module, function)(sys.stdin.buffer.read())}
    except Refused as error:
        reply = {"refused": error.code}
    except (MemoryError, RecursionError):
        reply = {"refused": "bomb"}
    sys.stdout.write(json.dumps(reply))


if __name__ == "__main__":
    main(sys.argv[1])
