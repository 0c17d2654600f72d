"""Finds articles by their words, in any script, and records searches without a result."""

import datetime as dt
from collections.abc import Iterator

from appliance.casework import versions
from appliance.casework.knowledge import markdown, synonyms
from appliance.core import clock, search
from appliance.core.db import row_batches, write_transaction
from appliance.core.i18n import fold_text
from appliance.models import Article, ArticleMiss, ArticleVersion, User

ENTRY_KIND = "article"
_BATCH_SIZE = 50  # articles read at once
_MAX_STORED_LENGTH = 200  # characters of a search text that are stored
_MIN_PERSONAL_DIGITS = 7  # from this many digits on, a text may be a person's number
_MIN_RECORDED_LENGTH = 3  # letters; a shorter search without a result is not recorded


def search_entry(row: ArticleVersion) -> search.SearchItem:
    """Return the search entry of a version.

    A match in its titles, its law or the additional search words has more weight than one in its
    text or source.
    """
    law = f"{row.law} {row.law_number}"
    texts = (markdown.plain_text(row.text_uz), markdown.plain_text(row.text_ru), row.source)
    return search.SearchItem(
        ENTRY_KIND,
        str(row.id),
        row.title_uz or row.title_ru,
        text="\n".join(texts),
        names=(row.title_ru, law, *synonyms.additional_search_words(row)),
        row=row.id,
    )


def update_search_index(article: Article) -> None:
    """Index the versions of an article that are or will be in force, and no others."""
    for row in versions.list_versions(ArticleVersion, article):
        if versions.version_status(row) in versions.SEARCHABLE_STATUSES:
            search.index_item(search_entry(row))
        else:
            search.drop_entry(ENTRY_KIND, str(row.id))


def search_entries() -> Iterator[list[search.SearchItem]]:
    """Yield the search entries of all article versions in force or planned, in batches."""
    rows = ArticleVersion.select(ArticleVersion, Article).join(Article)
    rows = rows.where(versions.in_force_or_planned_condition(ArticleVersion))
    for batch in row_batches(rows, ArticleVersion.id, _BATCH_SIZE):
        yield [search_entry(row) for row in batch]


def rank_articles(
    query: search.SearchQuery, day: dt.date, limit: int
) -> list[tuple[search.SearchResult, ArticleVersion]]:
    """Return (search result, version) of the articles that match a query, best first.

    They are in force now and do not expire before `day`. If some contain every word, only these are
    returned, else only those that match nearly as well as the best one; at most `limit`.
    """
    valid_ids = ArticleVersion.select(ArticleVersion.id).where(
        versions.in_force_condition(ArticleVersion),
        ArticleVersion.expires_on.is_null() | (ArticleVersion.expires_on >= day),
    )
    matches = search.find_entries(query, ENTRY_KIND, limit, lambda row: row.in_(valid_ids))
    matches = search.likely_results(matches)
    rows = ArticleVersion.select(ArticleVersion, Article).join(Article)
    versions_by_id = {
        row.id: row for row in rows.where(ArticleVersion.id.in_([match.row for match in matches]))
    }
    return [(match, versions_by_id[match.row]) for match in matches]


def search_articles(text: str, day: dt.date, limit: int = 20) -> list[ArticleVersion]:
    """Return the versions that rank_articles() finds for a typed text, best first."""
    return [row for _match, row in rank_articles(search.parse_query(text), day, limit)]


def record_failed_search(text: str, user: User) -> None:
    """Record for the manager that a search found no article; once per day, user and text.

    While a user types, each longer text replaces the shorter one of less than a minute ago. A text
    that may be somebody's phone or document number is not stored.
    """
    key = fold_text(text)
    if (
        len(key) < _MIN_RECORDED_LENGTH
        or sum(letter.isdigit() for letter in key) >= _MIN_PERSONAL_DIGITS
    ):
        return
    now = clock.now()
    is_recent = (ArticleMiss.who == user.login, ArticleMiss.at > now - dt.timedelta(days=1))
    with write_transaction():
        last = ArticleMiss.select().where(*is_recent).order_by(ArticleMiss.id.desc()).first()
        # the user has typed on: the shorter text was not yet the whole one
        if last and now - last.at < dt.timedelta(minutes=1) and key.startswith(last.key):
            last.delete_instance()
        if not ArticleMiss.select().where(*is_recent, ArticleMiss.key == key).exists():
            stored_text = " ".join(text.split())[:_MAX_STORED_LENGTH]
            ArticleMiss.create(text=stored_text, key=key, who=user.login, at=now)
