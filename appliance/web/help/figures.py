"""The explanation of each figure of the reports, in the reader's language.

figures.*.md are translations of docs/figures.md. The Cyrillic Uzbek text is generated from the
Latin one. Each figure has an anchor.
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
from appliance.reports.telephony.labels import FIGURES
from appliance.web.shell.access import anyone
from appliance.web.shell.language import locale

TEXTS_FOLDER = Path(__file__).parent
SOURCE_LOCALES = {"uz_Latn": "uz_Latn", "uz_Cyrl": "uz_Latn", "ru": "ru"}

_ANCHOR = re.compile(r'<a id="[a-z_-]+">|</a>')
_ABBREVIATION = re.compile(r"(\b[A-Z]{2,}\b)")

screen = Blueprint("help", __name__, url_prefix="/help")


@screen.get("/figures")
@anyone
def show_figures() -> str:
    """Show the explanations of all figures; the anchor `#answer_speed` leads to that figure."""
    names = {code: gettext(name) for code, name in FIGURES.items()}
    return render_template("help/figures.html", body=figures_html(locale()), names=names)


@functools.cache
def figures_html(target_locale: str) -> Markup:
    """Return the explanations for a locale as HTML, without the title.

    HTML in the source is escaped, except anchors.
    """
    text = (TEXTS_FOLDER / f"figures.{SOURCE_LOCALES[target_locale]}.md").read_text("utf-8")
    markdown = MarkdownIt("commonmark").enable("table")
    markdown.add_render_rule("html_inline", _render_html)
    markdown.add_render_rule("html_block", _render_html)
    tokens = markdown.parse(text)
    if target_locale != SOURCE_LOCALES[target_locale]:
        _transliterate_tokens(tokens, target_locale)
    title_ends = [token.type for token in tokens].index("heading_close")
    return Markup(  # noqa: S704
        markdown.renderer.render(tokens[title_ends + 1 :], markdown.options, {})
    )


def _transliterate_tokens(tokens: Sequence[Token], target_locale: str) -> None:
    """Convert the text of parsed Markdown to the locale's script, in place.

    Codes, anchors and abbreviations (such as SMS) stay unchanged.
    """
    for token in tokens:
        if token.type in ("text", "code_block"):
            parts = _ABBREVIATION.split(token.content)
            parts[::2] = [
                script.transliterate_for_locale(part, target_locale) for part in parts[::2]
            ]
            token.content = "".join(parts)
        _transliterate_tokens(token.children or (), target_locale)


def _render_html(
    _renderer: object,
    tokens: Sequence[Token],
    index: int,
    _options: object,
    _env: Mapping[Any, Any],
) -> str:
    """Return the HTML of the token at `index`: an anchor unchanged, anything else escaped.

    markdown-it calls it with these parameters.
    """
    html = tokens[index].content
    return html if _ANCHOR.fullmatch(html) else escapeHtml(html)
