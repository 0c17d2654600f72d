"""The form of an article: its context, and the values submitted with it."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.datastructures import MultiDict

from appliance.casework import catalogs, identity
from appliance.casework.changes import requests
from appliance.casework.knowledge import articles, files
from appliance.casework.knowledge.articles import ArticleContent, ArticlePlacement
from appliance.core.refusals import Refused
from appliance.web.knowledge import article_labels as article_words
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count

if TYPE_CHECKING:
    from appliance.models import ArticleVersion, ChangeRequest


def form_context(form_values: MultiDict[str, str], trouble: str) -> dict[str, Any]:
    """Return the template context of the form: its options, the typed values, why it was refused.

    `trouble` is the code of the refusal, or "". `limits` are the allowed characters of each text,
    and the allowed bytes of one file and of all files together.
    """
    return {
        "typed": form_values,
        "trouble": article_words.TROUBLES.get(trouble),
        "all_sections": list(catalogs.labels_by_code(articles.SECTION_LIST, locale()).items()),
        "all_topics": catalogs.item_choices(articles.DIRECTION_LIST, locale(), today()),
        "owners": articles.possible_owners(),
        "limits": {
            "title": articles.MAX_TITLE_LENGTH,
            "text": articles.MAX_TEXT_LENGTH,
            "line": articles.MAX_LINE_LENGTH,
            "file": files.MAX_FILE_BYTES,
            "together": files.MAX_REQUEST_BYTES,
        },
    }


def version_values(version: "ArticleVersion") -> MultiDict[str, str]:
    """Return the values with which the form shows a version and its article."""
    texts = {name: value or "" for name, value in articles.version_texts(version).items()}
    placement = articles.article_placement(version.article)
    form_values = MultiDict[str, str](
        texts
        | {
            "section": placement.section,
            "owner": placement.owner,
            "review_on": f"{placement.review_on:%d.%m.%Y}" if placement.review_on else "",
            "request": str(version.request_id or ""),
            "other_words": placement.other_words,
        }
    )
    form_values.setlist("topics", list(placement.topics))
    return form_values


def submitted_texts() -> ArticleContent:
    """Return the texts of a version from the submitted form.

    Raises Refused with the code `day` if a date is invalid.
    """
    form_data = request.form
    texts = {
        name: form_data.get(name, "") for name in ("title_uz", "text_uz", "title_ru", "text_ru")
    }
    texts |= {name: form_data.get(name, "") for name in ("source", "law", "law_number")}
    return ArticleContent(
        **texts, law_on=_submitted_date("law_on"), expires_on=_submitted_date("expires_on")
    )


def submitted_placement() -> ArticlePlacement:
    """Return the section, topics, owner, date of review and search words from the submitted form.

    Raises Refused with the code `day` if the date is invalid.
    """
    form_data = request.form
    section, owner = form_data.get("section", ""), form_data.get("owner", "")
    topics, other_words = tuple(form_data.getlist("topics")), form_data.get("other_words", "")
    return ArticlePlacement(section, topics, owner, _submitted_date("review_on"), other_words)


def _submitted_date(name: str) -> dt.date | None:
    """Return the date of the form's field `name`, unless it is empty.

    Raises Refused with the code `day` if it is invalid.
    """
    text = request.form.get(name, "").strip()
    if not text:
        return None
    date = identity.parse_plausible_date(text)
    if not date:
        raise Refused("day")
    return date


def selected_change_request() -> "ChangeRequest | None":
    """Return the ministry's change request selected in the form, if any."""
    number = request.form.get("request", 0, parse_count)
    return requests.find_change_request(number, me()) if number else None


def uploaded_files() -> list[files.UploadedFile]:
    """Return the files uploaded with the form; they can be read from the request only once.

    Inputs left empty are skipped.
    """
    uploads = []
    for upload in request.files.getlist("files"):
        if upload.filename:
            uploads.append(files.UploadedFile(upload.filename, upload.read()))
        upload.close()
    return uploads
