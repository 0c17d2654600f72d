"""Converts the Markdown of an article into HTML that is safe on a page.

What authors write must not run in the reader's browser: HTML in their text is shown as text, and
the result is filtered by an allow-list.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

ALLOWED_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td"),
}
ALLOWED_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
ALLOWED_URL_SCHEMES = {"http", "https", "mailto", "tel"}
_HEADING_TAGS = {"h1": "h3", "h2": "h4"}  # the page has headings above it: title, language
_UNCHANGED_PATTERN = re.compile(r"(\b[A-Z]{2,}\b|[«»“”\"])")  # not transliterated

type Transliterator = Callable[[str], str]  # converts a text to the other script of Uzbek


def render_html(text: str, transliterate: Transliterator | None = None) -> str:
    """Return a Markdown text as HTML that is safe to be shown.

    `transliterate` converts its words to the other script of Uzbek, but not the addresses of links
    and what is marked as code.
    """
    import nh3  # imported here, as below: only processes that show articles need it
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.disable("image")
    tokens = markdown.parse(text)
    _lower_headings(tokens)
    if transliterate:
        _transliterate_tokens(tokens, transliterate)
    rendered = markdown.renderer.render(tokens, markdown.options, {})
    return nh3.clean(
        rendered,
        tags=ALLOWED_TAGS,
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes=ALLOWED_URL_SCHEMES,
        link_rel="noopener noreferrer",
    )


def plain_text(text: str, transliterate: Transliterator | None = None) -> str:
    """Return a Markdown text without markup, one line for each block that is not empty.

    It is for text messages and the search. `transliterate` is that of render_html().
    """
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.disable("image")
    tokens = markdown.parse(text)
    if transliterate:
        _transliterate_tokens(tokens, transliterate)
    lines = [
        "".join(
            child.content if child.type in ("text", "code_inline") else " "
            for child in token.children or ()
            if child.type in ("text", "code_inline", "softbreak", "hardbreak")
        )
        for token in tokens
        if token.type == "inline"
    ]
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


def transliterate_line(text: str, transliterate: Transliterator) -> str:
    """Return a line in another script; abbreviations in Latin capitals and quotation marks stay."""
    segments = _UNCHANGED_PATTERN.split(text)
    segments[::2] = [transliterate(segment) for segment in segments[::2]]
    return "".join(segments)


def _lower_headings(tokens: "Sequence[Token]") -> None:
    """Lower the heading levels of parsed Markdown in place: h1 becomes h3, h2 h4, others h5."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _HEADING_TAGS.get(token.tag, "h5")


def _transliterate_tokens(tokens: "Sequence[Token]", transliterate: Transliterator) -> None:
    """Transliterate the text of parsed Markdown, in place; links' addresses and code stay."""
    for token in tokens:
        if token.type == "text":
            token.content = transliterate_line(token.content, transliterate)
        _transliterate_tokens(token.children or (), transliterate)
