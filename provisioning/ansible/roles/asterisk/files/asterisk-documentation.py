#!/usr/bin/python3
"""asterisk-documentation WHOLE FOLDER: reduces Asterisk's documentation to what it needs itself.

Asterisk reads the complete documentation at start and keeps it in memory: 25 MB. It does not start
without the descriptions of its configuration options, so a documentation of unknown structure is
copied completely.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

DOCUMENTATION_FILE = "core-en_US.xml"
REQUIRED_TAG = "configInfo"
REQUIRED_NAMES = {"DBGet", "DBGetTree", "DBPut", "DBDel", "DBDelTree", "LOG_GROUP"}  # else it warns
_INCLUDE_TAG = "{http://www.w3.org/2001/XInclude}include"
_INCLUDE_TARGET = re.compile(r"xpointer\(/docs/(\w+)\[@name='([^']+)'\]")


def reduce_documentation(source_folder: Path, target_folder: Path) -> None:
    """Write the reduced file into the target folder, readable by all. Raises OSError."""
    os.umask(0o022)
    target_folder.mkdir(parents=True, exist_ok=True)
    new_file = target_folder / f"{DOCUMENTATION_FILE}.new"
    try:
        tree = ElementTree.parse(source_folder / DOCUMENTATION_FILE)  # noqa: S314  of Debian's package
        root = tree.getroot()
        required_parts = [
            part for part in root if part.tag == REQUIRED_TAG or part.get("name") in REQUIRED_NAMES
        ]
        if root.find(REQUIRED_TAG) is None:
            raise ValueError(DOCUMENTATION_FILE)
        for part in required_parts:  # the list grows during the loop
            required_parts += [
                dependency
                for dependency in referenced_parts(root, part)
                if dependency not in required_parts
            ]
        root[:] = required_parts
        tree.write(new_file, encoding="utf-8", xml_declaration=True)
    except (ElementTree.ParseError, ValueError):
        shutil.copyfile(source_folder / DOCUMENTATION_FILE, new_file)
    new_file.replace(target_folder / DOCUMENTATION_FILE)


def referenced_parts(
    root: ElementTree.Element, part: ElementTree.Element
) -> list[ElementTree.Element]:
    """Return the parts that a part includes from. Raises ValueError for an unknown reference."""
    names = []
    for reference in part.iter(_INCLUDE_TAG):
        match = _INCLUDE_TARGET.match(reference.get("xpointer", ""))
        if not match or reference.get("href"):
            raise ValueError(DOCUMENTATION_FILE)
        names.append(match.groups())
    return [candidate for candidate in root if (candidate.tag, candidate.get("name")) in names]


if __name__ == "__main__":
    reduce_documentation(*map(Path, sys.argv[1:]))
