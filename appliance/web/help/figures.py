"""What each figure means, in the reader's language, with an anchor for each figure.

figures.*.md say what docs/figures.md says; Uzbek in Cyrillic is made from the Latin.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from markupsafe import Markup

from appliance.core import script
from appliance.reports.telephony.words import FIGURES
from appliance.web.shell.access import anyone
from appliance.web.shell.language import locale

TEXTS = Path(__file__).parent
WRITTEN_IN = {"uz_Latn": "uz_Latn", "uz_Cyrl": "uz_Latn", "ru": "ru"}

_ANCHOR = re.compile(r'<a id="[a-z_-]+">|</a>')
_ABBREVIATION = re.compile(r"(\b[A-Z]{2,}\b)")

screen = Blueprint("help", __name__, url_prefix="/help")


@screen.get("/figures")
@anyone
def figures() -> str:
    """The page; `#answer_speed` leads to that figure."""
    names = {code: gettext(name) for code, name in FIGURES.items()}
    return render_template("help/figures.html", body=body(locale()), names=names)


@functools.cache
def body(reader: str) -> Markup:
    """The text for a locale, without its title; of HTML in it only anchors are let through."""
    text = (TEXTS / f"figures.{WRITTEN_IN[reader]}.md").read_text("utf-8")
    markdown = MarkdownIt("commonmark").enable("table")
    markdown.add_render_rule("html_inline", _anchor)
    markdown.add_render_rule("html_block", _anchor)
    tokens = markdown.parse(text)
    if reader != WRITTEN_IN[reader]:
        _respell(tokens, reader)
    title_ends = [token.type for token in tokens].index("heading_close")
    return Markup(  # noqa: S704
        markdown.renderer.render(tokens[title_ends + 1 :], markdown.options, {})
    )


def _respell(tokens: Sequence[Token], reader: str) -> None:
    """In the reader's script; codes, anchors and abbreviations stay."""
    for token in tokens:
        if token.type in ("text", "code_block"):
            parts = _ABBREVIATION.split(token.content)
            parts[::2] = [script.written(part, reader) for part in parts[::2]]
            token.content = "".join(parts)
        _respell(token.children or (), reader)


def _anchor(
    _renderer: object,
    tokens: Sequence[Token],
    place: int,
    _options: object,
    _env: Mapping[Any, Any],
) -> str:
    html = tokens[place].content
    return html if _ANCHOR.fullmatch(html) else escapeHtml(html)
