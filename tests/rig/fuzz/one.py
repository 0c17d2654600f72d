"""Fuzz one target: `python -m tests.rig.fuzz.one NAME [libFuzzer's options]`."""

import logging
import sys

import atheris

_INSTRUMENTED_PACKAGES = [
    *("appliance", "csv", "docx", "gsmmodem", "json", "openpyxl", "pypdf", "smpplib", "tomllib"),
    "zipfile",
]


def main() -> None:
    """Fuzz the target until libFuzzer's options end it."""
    name, options = sys.argv[1], sys.argv[2:]
    with atheris.instrument_imports(include=_INSTRUMENTED_PACKAGES):
        from tests.rig.fuzz.targets import FUZZ_TARGETS
    logging.disable(logging.CRITICAL)
    atheris.Setup([sys.argv[0], *options], FUZZ_TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
