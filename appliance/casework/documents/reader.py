"""The process that opens documents: `python -m appliance.casework.documents.reader PURPOSE`.

Reads the document from its input and prints one JSON object: `result`, or `refused` with a code of
DocumentError. It runs in the sandbox (core.sandbox.run_python), which bounds its memory and time.
"""

import importlib
import json
import sys

from appliance.casework.documents.errors import DocumentError

# purpose → module here, its function; only what the purpose needs is imported
_READERS = {"file": ("file_kinds", "kind_of"), "script": ("script_text", "steps_of")}


def main(purpose: str) -> None:
    """Read the document of the standard input for a purpose of _READERS."""
    name, function = _READERS[purpose]
    module = importlib.import_module(f"appliance.casework.documents.{name}")
    try:
        answer = {"result": getattr(module, function)(sys.stdin.buffer.read())}
    except DocumentError as refused:
        answer = {"refused": refused.code}
    except (MemoryError, RecursionError):
        answer = {"refused": "bomb"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
