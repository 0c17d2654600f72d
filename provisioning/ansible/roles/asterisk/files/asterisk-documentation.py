#!/usr/bin/python3
"""asterisk-documentation WHOLE FOLDER: of Asterisk's documentation what it needs itself.

It reads all there is when it starts, and keeps it: 25 MB. Without what tells of the options in its
files it does not start, so of a form that is not known here it gets all.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

FILE = "core-en_US.xml"
NEEDED = "configInfo"
WANTED = {"DBGet", "DBGetTree", "DBPut", "DBDel", "DBDelTree", "LOG_GROUP"}  # else it warns of each
_INCLUDES = "{http://www.w3.org/2001/XInclude}include"
_INCLUDED = re.compile(r"xpointer\(/docs/(\w+)\[@name='([^']+)'\]")


def lessen(whole: Path, folder: Path) -> None:
    """Write the folder's file anew, readable by all. Raises OSError."""
    os.umask(0o022)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    try:
        tree = ElementTree.parse(whole / FILE)  # noqa: S314  of Debian's package
        root = tree.getroot()
        kept = [part for part in root if part.tag == NEEDED or part.get("name") in WANTED]
        if root.find(NEEDED) is None:
            raise ValueError(FILE)
        for part in kept:  # which grows meanwhile
            kept += [other for other in included(root, part) if other not in kept]
        root[:] = kept
        tree.write(fresh, encoding="utf-8", xml_declaration=True)
    except (ElementTree.ParseError, ValueError):
        shutil.copyfile(whole / FILE, fresh)
    fresh.replace(folder / FILE)


def included(root: ElementTree.Element, part: ElementTree.Element) -> list[ElementTree.Element]:
    """The parts of which a part takes something. Raises ValueError where that is not known."""
    names = []
    for one in part.iter(_INCLUDES):
        found = _INCLUDED.match(one.get("xpointer", ""))
        if not found or one.get("href"):
            raise ValueError(FILE)
        names.append(found.groups())
    return [other for other in root if (other.tag, other.get("name")) in names]


if __name__ == "__main__":
    lessen(*map(Path, sys.argv[1:]))
