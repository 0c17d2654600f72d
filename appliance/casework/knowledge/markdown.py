"""What people write of an article, Markdown, as HTML that a page may show.

Whoever writes it is trusted with words, not with the reader's browser: HTML in it is shown as
text, and what comes out passes an allow-list.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto", "tel"}
_LEVELS = {"h1": "h3", "h2": "h4"}  # an article stands under its title and its language
_APART = re.compile(r"(\b[A-Z]{2,}\b|[«»“”\"])")  # in quotes stands speech, seldom a firm's name

type Spelling = Callable[[str], str]


def html(text: str, spelt: Spelling | None = None) -> str:
    """The text as HTML; `spelt` rewrites its words, not its addresses and codes."""
    import nh3  # as below: who shows no article has no need of it
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.disable("image")
    tokens = markdown.parse(text)
    _turn(tokens, spelt)
    made = markdown.renderer.render(tokens, markdown.options, {})
    return nh3.clean(
        made, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel="noopener noreferrer"
    )


def plain(text: str, spelt: Spelling | None = None) -> str:
    """The words alone: what a short message and a search take of a text, a line for each block."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    markdown.disable("image")
    tokens = markdown.parse(text)
    _turn(tokens, spelt)
    lines = [
        "".join(
            part.content if part.type in ("text", "code_inline") else " "
            for part in token.children or ()
            if part.type in ("text", "code_inline", "softbreak", "hardbreak")
        )
        for token in tokens
        if token.type == "inline"
    ]
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


def respelt(text: str, spelt: Spelling) -> str:
    """A line of words in another script; abbreviations in Latin capitals stay."""
    parts = _APART.split(text)
    parts[::2] = [spelt(part) for part in parts[::2]]
    return "".join(parts)


def _turn(tokens: "Sequence[Token]", spelt: Spelling | None) -> None:
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _LEVELS.get(token.tag, "h5")
        elif spelt and token.type == "text":
            token.content = respelt(token.content, spelt)
        _turn(token.children or (), spelt)
