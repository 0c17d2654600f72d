"""Files of the pages: templates and static files of each section, and files built by npm.

Fonts, icons and htmx are copied into appliance/built/ by `npm run setup`.
"""

import functools
import hashlib
import io
import re
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, send_file, send_from_directory
from jinja2 import FileSystemLoader
from markupsafe import Markup

from appliance import PACKAGE
from appliance.web.shell.access import public

BUILT_FOLDER = PACKAGE / "built"
SECTION_FOLDERS = sorted(folder for folder in (PACKAGE / "web").iterdir() if folder.is_dir())
YEAR_SECONDS = 365 * 24 * 3600

screen = Blueprint("assets", __name__)


class NotBuiltError(RuntimeError):
    """Files of the front end are missing; the message says how to build them."""


@screen.get("/built/<path:name>")
@public
def send_built_file(name: str) -> Response:
    """Send a file built by npm, such as a script or a font; browsers may cache it for a year."""
    response = send_from_directory(BUILT_FOLDER, name, max_age=YEAR_SECONDS)
    response.cache_control.immutable = True
    return response


def _send_static_file(version: str, filename: str) -> Response:
    """Send a static file of a section; abort with 404 if no section has it.

    `version` is the hash of all static files when the page was opened: scripts import each other by
    relative names, so the addresses of all files contain the same one. A page opened with an
    earlier version receives the current file, which is not cached.
    """
    folder = section_files().get(filename) or abort(404)
    is_current = version == static_files_version()
    max_age = YEAR_SECONDS if is_current else None
    if filename.endswith(".css"):
        style_sheet = io.BytesIO(_complete_style_sheet(folder / filename))
        response = send_file(style_sheet, mimetype="text/css", max_age=max_age)
    else:
        response = send_from_directory(folder, filename, max_age=max_age)
    if is_current:
        response.cache_control.immutable = True
    return response


@functools.cache
def _complete_style_sheet(file: Path) -> bytes:
    """Return a style sheet whose @import lines are replaced by the files: one request loads all."""
    text = file.read_text("utf-8")
    imported = re.compile(r'^@import "(.+)";$', re.MULTILINE)
    return imported.sub(lambda match: (file.parent / match[1]).read_text("utf-8"), text).encode()


@functools.cache
def static_files_version() -> str:
    """Return a hash of the sections' static files: it changes whenever their contents change."""
    files = (folder / name for name, folder in sorted(section_files().items()))
    return hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest()[:8]


@functools.cache
def section_files() -> dict[str, Path]:
    """Return the folder of each static file, by the file's name.

    Raises ValueError if two sections have a file of the same name.
    """
    folders: dict[str, Path] = {}
    for folder in (section / "static" for section in SECTION_FOLDERS):
        for file in folder.rglob("*"):
            name = str(file.relative_to(folder))
            if file.is_file() and folders.setdefault(name, folder) != folder:
                raise ValueError(f"{name} is in {folder} and in {folders[name]}")
    return folders


def _add_static_version(endpoint: str, values: dict[str, object]) -> None:
    """Add the current version to the address of a static file, for url_for("static", …).

    `values` are the values of the address that is being built; they are changed in place.
    """
    if endpoint == "static":
        values.setdefault("version", static_files_version())


@functools.cache
def icon_drawing(name: str) -> Markup:
    """Return the content of an icon's <svg>. Raises NotBuiltError if the icon was not copied."""
    file = BUILT_FOLDER / "icons" / f"{name}.svg"
    if not file.is_file():
        raise NotBuiltError(f"no icon {name!r}: run `npm run build`, or look whether lucide has it")
    content = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text("utf-8"), re.DOTALL)
    return Markup(re.sub(r"\s+", " ", content[1]).strip()) if content else Markup("")  # noqa: S704


@functools.cache
def _file_version(path: Path) -> str:
    """Return a short hash of a built file. Raises NotBuiltError if the file is missing."""
    if not path.is_file():
        raise NotBuiltError(f"{path.name} is missing: run `npm run setup`")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def init_app(app: Flask) -> None:
    """Serve the sections' templates and static files.

    Templates get `drawing(icon)` and `script(name)`.
    """
    app.jinja_loader = FileSystemLoader([section / "templates" for section in SECTION_FOLDERS])
    app.add_url_rule("/static/<version>/<path:filename>", "static", public(_send_static_file))
    app.url_defaults(_add_static_version)

    def script_address(name: str) -> str:
        """Return the address of a built script; its version makes browsers load a changed one."""
        return f"/built/js/{name}?v={_file_version(BUILT_FOLDER / 'js' / name)}"

    app.jinja_env.globals |= {"drawing": icon_drawing, "script": script_address}
