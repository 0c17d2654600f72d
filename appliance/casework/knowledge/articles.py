"""Articles: written by the manager, approved by the ministry, read by operators on the phone (A8).

The content of an article is versioned (casework.versions). A change of its placement, its owner or
its review date takes effect at once, without approval.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.casework import catalogs, versions
from appliance.casework.changes import links
from appliance.casework.knowledge import files, markdown, searching, wording
from appliance.core import audit, live
from appliance.core.db import write_transaction
from appliance.core.i18n import fold_text, normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import Article, ArticleVersion, ChangeRequest, User

LIVE_TOPIC = "knowledge"
SECTION_LIST = "article_section"  # the editable list (casework.catalogs) of sections
DIRECTION_LIST = "direction"  # the editable list of directions, which are subjects of appeals
MANAGER_ROLES = versions.WRITER_ROLES
DRAFT_READER_ROLES = versions.READER_ROLES

MAX_TITLE_LENGTH, MAX_TEXT_LENGTH, MAX_LINE_LENGTH = 200, 20_000, 300  # maximum characters
_TEXT_FIELDS = ("title_uz", "text_uz", "title_ru", "text_ru", "source", "law", "law_number")
_CONTENT_FIELDS = (*_TEXT_FIELDS, "law_on", "expires_on")
_MAX_SLUG_LENGTH = 60
RESERVED_SLUGS = {"new", "preview", "use"}  # address parts used besides the slugs of articles


@dataclass(frozen=True)
class ArticleContent:
    """The content of a version; its texts are Markdown."""

    title_uz: str = ""
    text_uz: str = ""
    title_ru: str = ""
    text_ru: str = ""
    source: str = ""  # where the content is taken from
    law: str = ""  # the name of the law that it explains
    law_number: str = ""
    law_on: dt.date | None = None  # the date of the law
    expires_on: dt.date | None = None  # the last day on which the version is valid


@dataclass(frozen=True)
class ArticlePlacement:
    """The section and directions of an article, its owner and review date, and its search words."""

    section: str  # code on SECTION_LIST
    topics: tuple[str, ...] = ()  # codes on DIRECTION_LIST
    owner: str = ""  # login; "" for nobody
    review_on: dt.date | None = None  # when the owner has to check the article, if ever
    other_words: str = ""  # by which it is found, in addition to its titles; separated by commas


def find_article(slug: str) -> Article | None:
    """Return the article with this slug, if any."""
    return find_row(Article, slug=slug)


def version_in_force(article: Article) -> ArticleVersion | None:
    """Return the version of an article that is in force, if any."""
    version: ArticleVersion | None = ArticleVersion.get_or_none(
        ArticleVersion.article == article, versions.in_force_condition(ArticleVersion)
    )
    return version


def article_versions(article: Article) -> list[ArticleVersion]:
    """Return the versions of an article, the newest first."""
    return versions.list_versions(ArticleVersion, article)


def find_version(article: Article, number: int) -> ArticleVersion | None:
    """Return the version of an article with this number (from 1), if any."""
    return find_row(ArticleVersion, article=article.id, number=number)


def pending_version(article: Article) -> ArticleVersion | None:
    """Return the article's version that is not in force yet (a draft, or later), if any."""
    version: ArticleVersion | None = versions.pending_version(ArticleVersion, article)
    return version


def create_article(
    user: User,
    content: ArticleContent,
    placement: ArticlePlacement,
    request: ChangeRequest | None = None,
) -> ArticleVersion:
    """Create a new article with its first draft; returns the draft.

    `request` is the change request for which it is written. Raises Refused with the code `action`
    if the user's role may not write articles, `title` if both titles are empty, and the codes of
    _placement_columns().
    """
    if user.role not in MANAGER_ROLES:
        raise Refused("action")
    row, article_columns = content_columns(content), _placement_columns(placement)
    if not (row["title_uz"] or row["title_ru"]):
        raise Refused("title")
    with write_transaction():
        slug = _available_slug(row["title_uz"] or row["title_ru"])
        article = Article.create(slug=slug, **article_columns)
        draft: ArticleVersion = versions.create_draft(ArticleVersion, article, user, request, **row)
        audit.record_entry(user.login, "article.create", slug, section=placement.section)
        live.publish_topics(LIVE_TOPIC)
    return draft


def import_article(
    slug: str, content: ArticleContent, placement: ArticlePlacement
) -> ArticleVersion:
    """Store an article from the command line as the next draft of the article with this slug.

    If there is no such article, create it. Returns the draft. Raises Refused with the code `title`
    if both titles are empty, `pending` if a version is pending already, and the codes of
    _placement_columns().
    """
    row, article_columns = content_columns(content), _placement_columns(placement)
    if not (row["title_uz"] or row["title_ru"]):
        raise Refused("title")
    with write_transaction():
        # the slug as _available_slug() makes it, but also if it is used already
        known_slug = "-".join(fold_text(slug).split())[:_MAX_SLUG_LENGTH].strip("-")
        article = find_article(known_slug) if known_slug not in RESERVED_SLUGS else None
        if not article:
            article = Article.create(slug=_available_slug(slug), **article_columns)
        draft: ArticleVersion = versions.create_draft(ArticleVersion, article, None, None, **row)
        _store_placement(article, article_columns)
        audit.record_entry(
            versions.COMMAND_LINE_ACTOR, "article.create", article.slug, section=placement.section
        )
        live.publish_topics(LIVE_TOPIC)
    return draft


def begin_draft(article: Article, user: User, source: ArticleVersion) -> ArticleVersion:
    """Copy the version `source` into the next draft; returns it. Raises as create_draft() does."""
    columns = {name: getattr(source, name) for name in (*_CONTENT_FIELDS, "files", "script")}
    with write_transaction():
        draft: ArticleVersion = versions.create_draft(
            ArticleVersion, article, user, None, **columns
        )
        detail = {"version": draft.number, "source": source.number}
        audit.record_entry(user.login, "article.begin", article.slug, **detail)
        live.publish_topics(LIVE_TOPIC)
    return draft


def save_draft(
    row: ArticleVersion,
    user: User,
    seen_revision: int,
    content: ArticleContent,
    placement: ArticlePlacement,
    uploads: Iterable[files.UploadedFile] = (),
    removed_ids: Iterable[int] = (),
    request: ChangeRequest | None = None,
) -> None:
    """Change a draft and the placement of its article.

    `uploads` are added to the draft's files, `removed_ids` are the ids of files to remove,
    `request` is the change request for which the draft is written. Raises Refused with the code
    `title` if both titles are empty, `changed` if the draft was changed since `seen_revision`, and
    the codes of _placement_columns(), files.check_uploads(), files.store_files() and
    versions.edit_draft(); nothing is changed then.
    """
    new_columns, article_columns, article = (
        content_columns(content),
        _placement_columns(placement),
        row.article,
    )
    if not (new_columns["title_uz"] or new_columns["title_ru"]):
        raise Refused("title")
    removed, checked_files = set(removed_ids), files.check_uploads(uploads)
    with write_transaction():
        remaining = [number for number in row.files if number not in removed]
        new_columns["files"] = remaining + files.store_files(
            row, len(remaining), checked_files, user.login
        )
        new_columns["request"] = request
        versions.edit_draft(row, user, seen_revision, **new_columns)
        _store_placement(article, article_columns)
        files.delete_unused_files(article)
        audit.record_entry(user.login, "article.change", article.slug, version=row.number)
        live.publish_topics(LIVE_TOPIC)


def change_placement(article: Article, user: User, placement: ArticlePlacement) -> None:
    """Change the placement of an article, its owner, review date and search words, at once.

    Raises Refused with the code `action` if the user's role may not write articles, and the codes
    of _placement_columns().
    """
    if user.role not in MANAGER_ROLES:
        raise Refused("action")
    article_columns = _placement_columns(placement)
    with write_transaction():
        _store_placement(article, article_columns)
        detail = {
            "section": placement.section,
            "owner": placement.owner,
            "review_on": str(placement.review_on),
        }
        detail["other_words"] = placement.other_words
        audit.record_entry(user.login, "article.place", article.slug, **detail)
        live.publish_topics(LIVE_TOPIC)


def discard_draft(row: ArticleVersion, user: User, seen_revision: int) -> bool:
    """Delete a draft, and its article if it has no other version.

    Returns True if the article remains. Raises Refused as versions.edit_draft() does: `changed` if
    the draft was changed since the revision `seen_revision`.
    """
    article = row.article
    with write_transaction():
        versions.discard_version(row, user, seen_revision)
        files.delete_unused_files(article)
        article_remains = ArticleVersion.select().where(ArticleVersion.article == article).exists()
        if not article_remains:
            article.delete_instance()
        audit.record_entry(user.login, "article.discard", article.slug, version=row.number)
        live.publish_topics(LIVE_TOPIC)
    return bool(article_remains)


def change_version_status(
    action: str,
    row: ArticleVersion,
    user: User,
    seen_revision: int,
    comment: str = "",
    since: dt.datetime | None = None,
) -> ArticleVersion:
    """Perform an action on a version, such as "send" or "approve"; returns the changed version.

    The actions are the moves of casework.versions.WORKFLOW. `comment` is the user's remark; `since`
    is the time from which a version that is put in force is valid, by default now. A version that
    is put in force for a change request is linked to it. Raises Refused with the code `languages`
    if the version is to be sent to the ministry but is not complete in Uzbek and Russian, and the
    codes of versions.perform_version_action(): `changed` if its revision is not `seen_revision`.
    """
    if action == "send" and not all(
        wording.has_language(row, language) for language in wording.LANGUAGES
    ):
        raise Refused("languages")
    before = version_in_force(row.article)
    with write_transaction():
        changed_version: ArticleVersion = versions.perform_version_action(
            action,
            row,
            user,
            expected_revision=seen_revision,
            noun="article",
            ref=row.article.slug,
            remark=comment,
            since=since,
        )
        if action == "put" and changed_version.request:
            title = changed_version.title_uz or changed_version.title_ru
            ref = f"{row.article.slug}/{changed_version.number}"
            links.link_change(
                changed_version.request,
                user,
                "article",
                ref,
                title,
                version_texts(before),
                version_texts(changed_version),
            )
        searching.update_search_index(row.article)
        live.publish_topics(LIVE_TOPIC)
    return changed_version


def version_differences(
    before: ArticleVersion, after: ArticleVersion
) -> list[tuple[str, str | None, str | None]]:
    """Return (field, text before, text after) of each field that differs in two versions."""
    old_texts, new_texts = version_texts(before), version_texts(after)
    return [
        (name, old_texts[name], new_texts[name])
        for name in new_texts
        if old_texts[name] != new_texts[name]
    ]


def version_texts(row: ArticleVersion | None) -> dict[str, str | None]:
    """Return the text of each field, None if empty, and the files' names; {} without a version."""
    if not row:
        return {}
    result: dict[str, str | None] = {}
    for name in _CONTENT_FIELDS:
        value = getattr(row, name)
        result[name] = f"{value:%d.%m.%Y}" if isinstance(value, dt.date) else value or None
    result["files"] = ", ".join(file.name for file in files.version_files(row)) or None
    return result


def version_content(row: ArticleVersion) -> ArticleContent:
    """Return the content of a version."""
    return ArticleContent(**{name: getattr(row, name) for name in _CONTENT_FIELDS})


def article_placement(article: Article) -> ArticlePlacement:
    """Return the placement of an article."""
    owner = article.owner.login if article.owner else ""
    topics = tuple(article.topics)
    return ArticlePlacement(article.section, topics, owner, article.review_on, article.other_words)


def possible_owners() -> list[User]:
    """Return the active users who may own articles, in order of their names."""
    users = User.select().where(User.role.in_(versions.READER_ROLES), User.active)
    return list(users.order_by(User.name))


def content_columns(content: ArticleContent) -> dict[str, Any]:
    """Return the content as columns, normalized and cut to size, and the Uzbek text's `script`."""
    row: dict[str, Any] = {name: getattr(content, name) for name in _CONTENT_FIELDS}
    for name in _TEXT_FIELDS:
        limit = (
            MAX_TITLE_LENGTH
            if name.startswith("title")
            else MAX_TEXT_LENGTH
            if name.startswith("text")
            else MAX_LINE_LENGTH
        )
        text = row[name].replace("\r\n", "\n").replace("\x00", "").strip()
        row[name] = (text if name.startswith("text") else " ".join(text.split()))[:limit]
    row["script"] = wording.detect_script(
        f"{row['title_uz']} {markdown.plain_text(row['text_uz'])}"
    )
    if row["script"] == "Latn":
        row["title_uz"] = normalize_apostrophes(row["title_uz"])
        row["text_uz"] = "\n".join(_normalize_line(line) for line in row["text_uz"].split("\n"))
    return row


def _normalize_line(line: str) -> str:
    """Return a line of Uzbek in Latin letters with the correct signs for oʻ, gʻ and ʼ.

    Its blanks stay, because Markdown interprets them.
    """
    leading_blanks = line[: len(line) - len(line.lstrip())]
    trailing_blanks = line[len(line.rstrip()) :]
    return (
        leading_blanks
        + re.sub(r"\S+", lambda word: normalize_apostrophes(word[0]), line.strip())
        + trailing_blanks
    )


def _placement_columns(placement: ArticlePlacement) -> dict[str, Any]:
    """Return the placement as column values, with its directions in the order of their list.

    Raises Refused with the code `section` or `topic` if it is not on its list, `owner` if there is
    no such user or their role may not read drafts.
    """
    if placement.section not in catalogs.labels_by_code(SECTION_LIST, "ru"):
        raise Refused("section")
    directions = catalogs.labels_by_code(DIRECTION_LIST, "ru")
    if any(topic not in directions for topic in placement.topics):
        raise Refused("topic")
    owner = User.get_or_none(User.login == placement.owner) if placement.owner else None
    if placement.owner and (not owner or owner.role not in versions.READER_ROLES):
        raise Refused("owner")
    return {
        "section": placement.section,
        "topics": [topic for topic in directions if topic in placement.topics],
        "owner": owner,
        "review_on": placement.review_on,
        "other_words": " ".join(placement.other_words.split())[:MAX_LINE_LENGTH],
    }


def _store_placement(article: Article, article_columns: dict[str, Any]) -> None:
    """Store columns that _placement_columns() returned, and update the article's search entries."""
    Article.update(article_columns).where(Article.id == article.id).execute()
    searching.update_search_index(Article.get_by_id(article.id))


def _available_slug(title: str) -> str:
    """Return a slug made from a title, followed by a number if the slug is used or reserved."""
    stem = "-".join(fold_text(title).split())[:_MAX_SLUG_LENGTH].strip("-") or "article"
    used_slugs = {
        row.slug for row in Article.select(Article.slug).where(Article.slug ** f"{stem}%")
    }
    used_slugs |= RESERVED_SLUGS
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(used_slugs) + 3)))
    return next(name for name in names if name not in used_slugs)
