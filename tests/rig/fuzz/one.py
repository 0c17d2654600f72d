"""One target under the fuzzer: `python -m tests.rig.fuzz.one NAME [libFuzzer's options]`."""

import logging
import sys

import atheris

_INSTRUMENTED = [
    *("appliance", "csv", "docx", "gsmmodem", "json", "openpyxl", "pypdf", "smpplib", "tomllib"),
    "zipfile",
]


def main() -> None:
    """Fuzz the target until libFuzzer's options say that it is enough."""
    name, options = sys.argv[1], sys.argv[2:]
    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.rig.fuzz.targets import TARGETS
    logging.disable(logging.CRITICAL)
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
