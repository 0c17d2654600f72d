"""The form of an article: what it shows, and what was sent by it."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.datastructures import MultiDict

from appliance.casework import catalogs, changes, identity
from appliance.casework.knowledge import ArticleError, Place, Words, articles, files
from appliance.web.knowledge import words as article_words
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded

if TYPE_CHECKING:
    from appliance.models import ArticleVersion, ChangeRequest


def shown(typed: MultiDict[str, str], trouble: str) -> dict[str, Any]:
    """What the form of an article chooses from, with what was typed and what was wrong."""
    return {
        "typed": typed,
        "trouble": article_words.TROUBLES.get(trouble),
        "all_sections": list(catalogs.labels(articles.SECTIONS, locale()).items()),
        "all_topics": catalogs.choices(articles.TOPICS, locale(), today()),
        "owners": articles.owners(),
        "most": {
            "title": articles.TITLE,
            "text": articles.TEXT,
            "line": articles.LINE,
            "file": files.LARGEST,
            "together": files.AT_ONCE,
        },
    }


def filled(version: "ArticleVersion") -> MultiDict[str, str]:
    """A version and its article as a form holds them."""
    told = {name: value or "" for name, value in articles.texts(version).items()}
    where = articles.place_of(version.article)
    typed = MultiDict[str, str](
        told
        | {
            "section": where.section,
            "owner": where.owner,
            "review_on": f"{where.review_on:%d.%m.%Y}" if where.review_on else "",
            "request": str(version.request_id or ""),
            "other_words": where.other_words,
        }
    )
    typed.setlist("topics", list(where.topics))
    return typed


def words() -> Words:
    """What was sent of a version. Raises ArticleError: `day`."""
    sent = request.form
    said = {name: sent.get(name, "") for name in ("title_uz", "text_uz", "title_ru", "text_ru")}
    said |= {name: sent.get(name, "") for name in ("source", "law", "law_number")}
    return Words(**said, law_on=_day("law_on"), expires_on=_day("expires_on"))


def place() -> Place:
    """Where it was sent that the article stands. Raises ArticleError: `day`."""
    sent = request.form
    section, owner = sent.get("section", ""), sent.get("owner", "")
    topics, other_words = tuple(sent.getlist("topics")), sent.get("other_words", "")
    return Place(section, topics, owner, _day("review_on"), other_words)


def _day(name: str) -> dt.date | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    found = identity.day(text)
    if not found:
        raise ArticleError("day")
    return found


def change_request() -> "ChangeRequest | None":
    """The change request that was chosen; None for none."""
    number = request.form.get("request", 0, bounded)
    return changes.find(number, me()) if number else None


def files_sent() -> list[files.Sent]:
    """The files that were sent."""
    sent = []
    for one in request.files.getlist("files"):
        if one.filename:
            sent.append(files.Sent(one.filename, one.read()))
        one.close()
    return sent
