#!/usr/bin/python3
"""asterisk-documentation WHOLE FOLDER: of Asterisk's documentation what it needs itself.

It reads all there is when it starts, and keeps it: 25 MB. Without what tells of the options in its
files it does not start, so of a form that is not known here it gets all.
"""

import os
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

FILE = "core-en_US.xml"
NEEDED = "configInfo"
WANTED = {"DBGet", "DBGetTree", "DBPut", "DBDel", "DBDelTree", "LOG_GROUP"}  # else it warns of each


def lessen(whole: Path, folder: Path) -> None:
    """Write the folder's file anew, readable by all. Raises OSError."""
    os.umask(0o022)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    try:
        tree = ElementTree.parse(whole / FILE)  # noqa: S314  of Debian's package
        root = tree.getroot()
        for part in list(root):
            if part.tag != NEEDED and part.get("name") not in WANTED:
                root.remove(part)
        if root.find(NEEDED) is None:
            raise ValueError(FILE)
        tree.write(fresh, encoding="utf-8", xml_declaration=True)
    except (ElementTree.ParseError, ValueError):
        shutil.copyfile(whole / FILE, fresh)
    fresh.replace(folder / FILE)


if __name__ == "__main__":
    lessen(*map(Path, sys.argv[1:]))
