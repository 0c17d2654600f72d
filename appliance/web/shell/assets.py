"""The files of pages: templates and static files of each section, and what npm brought.

Fonts, icons and htmx are copied into appliance/built/ by `npm run setup`.
"""

import functools
import hashlib
import re
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, send_from_directory
from jinja2 import FileSystemLoader
from markupsafe import Markup

from appliance import PACKAGE
from appliance.web.shell.access import public

BUILT = PACKAGE / "built"
SECTIONS = sorted(folder for folder in (PACKAGE / "web").iterdir() if folder.is_dir())
YEAR = 365 * 24 * 3600

screen = Blueprint("assets", __name__)


class NotBuilt(RuntimeError):
    """The front end's files are missing; the message says how to get them."""


@screen.get("/built/<path:name>")
@public
def built(name: str) -> Response:
    """A file that changes only with its version, so a browser may keep it."""
    answer = send_from_directory(BUILT, name, max_age=YEAR)
    answer.cache_control.immutable = True
    return answer


def _static(version: str, filename: str) -> Response:
    """A file of a section. Scripts import each other by relative names, so all have one version in
    their address; a page that is open since an earlier one gets today's file, and asks again."""
    folder = section_files().get(filename) or abort(404)
    if version != static_version():
        return send_from_directory(folder, filename)
    answer = send_from_directory(folder, filename, max_age=YEAR)
    answer.cache_control.immutable = True
    return answer


@functools.cache
def static_version() -> str:
    """Other words for other contents of the sections' static files."""
    files = (folder / name for name, folder in sorted(section_files().items()))
    return hashlib.sha256(b"".join(map(Path.read_bytes, files))).hexdigest()[:8]


@functools.cache
def section_files() -> dict[str, Path]:
    """Name → the folder that has it, of every static file. Raises ValueError when two have one."""
    found: dict[str, Path] = {}
    for folder in (section / "static" for section in SECTIONS):
        for file in folder.rglob("*"):
            name = str(file.relative_to(folder))
            if file.is_file() and found.setdefault(name, folder) != folder:
                raise ValueError(f"{name} is in {folder} and in {found[name]}")
    return found


def _with_version(endpoint: str, values: dict[str, object]) -> None:
    if endpoint == "static":
        values.setdefault("version", static_version())


@functools.cache
def drawing(name: str) -> Markup:
    """The inside of an icon's <svg>. Raises NotBuilt for an icon that was not copied."""
    file = BUILT / "icons" / f"{name}.svg"
    if not file.is_file():
        raise NotBuilt(f"no icon {name!r}: run `npm run build`, or look whether lucide has it")
    inside = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text("utf-8"), re.DOTALL)
    return Markup(re.sub(r"\s+", " ", inside[1]).strip()) if inside else Markup("")  # noqa: S704


@functools.cache
def _version(path: Path) -> str:
    if not path.is_file():
        raise NotBuilt(f"{path.name} is missing: run `npm run setup`")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def init_app(app: Flask) -> None:
    """Find templates and static files in the sections; give templates `drawing(icon)` and
    `script(name)`."""
    app.jinja_loader = FileSystemLoader([section / "templates" for section in SECTIONS])
    app.add_url_rule("/static/<version>/<path:filename>", "static", public(_static))
    app.url_defaults(_with_version)

    def script(name: str) -> str:
        return f"/built/js/{name}?v={_version(BUILT / 'js' / name)}"

    app.jinja_env.globals |= {"drawing": drawing, "script": script}
