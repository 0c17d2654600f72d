"""Fonts, icons and htmx, copied into appliance/built/ by `npm run setup`."""

import functools
import hashlib
import re
from pathlib import Path

from flask import Blueprint, Flask, Response, send_from_directory
from markupsafe import Markup

from appliance.web.access import public

BUILT = Path(__file__).parent.parent / "built"
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
    """Give templates `drawing(icon)` and `script(name)`."""

    def script(name: str) -> str:
        return f"/built/js/{name}?v={_version(BUILT / 'js' / name)}"

    app.jinja_env.globals |= {"drawing": drawing, "script": script}
