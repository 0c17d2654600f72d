"""Records which user opened which article in which call, and counts the use of articles (B12)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Case, fn

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.statements import create_row, find_row
from appliance.models import Article, ArticleMiss, ArticleOpening, ArticleVersion, User

_SAME_OPENING_PERIOD = dt.timedelta(minutes=30)  # for openings without a call


@dataclass(frozen=True)
class ArticleUsage:
    """How often an article was opened in a period, and the readers' feedback.

    `on_calls`: how many of the openings were during a call. `useful` and `useless`: how many
    readers found it so. `last`: the time of the last opening.
    """

    opened: int = 0
    on_calls: int = 0
    useful: int = 0
    useless: int = 0
    last: dt.datetime | None = None


@dataclass(frozen=True)
class FailedSearch:
    """A search without a result: its words, how often it was made, and when last."""

    text: str
    times: int
    last: dt.datetime


@dataclass(frozen=True)
class OpenedArticle:
    """An article that a user opened during a call or for a form."""

    version: ArticleVersion
    at: dt.datetime  # when it was opened first
    who: str  # the user's login
    useful: bool | None  # the user's feedback, if any


def record_opening(
    version: ArticleVersion, user: User, locale: str, call_id: str = "", token: str = ""
) -> ArticleOpening:
    """Record that a user opened a version; once for the same version in the same call or form.

    `token` identifies the form, `locale` is the language and script that was shown. Without a call
    or form, openings within _SAME_OPENING_PERIOD count as the same one. Returns the stored opening,
    which may be an earlier one.
    """
    now = clock.now()
    is_same = [
        ArticleOpening.article == version.article_id,
        ArticleOpening.version == version.number,
        ArticleOpening.who == user.login,
        ArticleOpening.call_id == call_id,
        ArticleOpening.token == token,
    ]
    if not call_id and not token:
        is_same.append(ArticleOpening.at > now - _SAME_OPENING_PERIOD)
    with write_transaction():
        opening: ArticleOpening | None = ArticleOpening.select().where(*is_same).first()
        if opening:
            return opening
        opening = create_row(
            ArticleOpening,
            article=version.article_id,
            version=version.number,
            who=user.login,
            at=now,
            locale=locale,
            call_id=call_id,
            token=token,
        )
        if call_id:
            live.publish_topics("calls")
    return opening


def find_opening(opening_id: int) -> ArticleOpening | None:
    """Return the stored opening with this id, if any."""
    return find_row(ArticleOpening, id=opening_id)


def record_feedback(opening_id: int, user: User, useful: bool) -> bool:
    """Store a user's feedback on an article that they opened; it replaces earlier feedback.

    Returns False if there is no opening with the id `opening_id`, or it is not theirs.
    """
    with write_transaction():
        updated_count = (
            ArticleOpening.update(useful=useful)
            .where(ArticleOpening.id == opening_id, ArticleOpening.who == user.login)
            .execute()
        )
    return bool(updated_count)


def articles_opened_at_call(call_id: str, tokens: Iterable[str] = ()) -> list[OpenedArticle]:
    """Return the articles opened in a call or for forms with these tokens, in order of opening.

    Without a call, `call_id` is "". Empty tokens, of forms that have no token, are ignored.
    """
    form_tokens = [token for token in tokens if token]
    conditions = ([ArticleOpening.call_id == call_id] if call_id else []) + (
        [ArticleOpening.token.in_(form_tokens)] if form_tokens else []
    )
    if not conditions:
        return []
    condition = conditions[0] if len(conditions) == 1 else conditions[0] | conditions[1]
    rows = list(ArticleOpening.select().where(condition).order_by(ArticleOpening.id))
    version_keys = {(row.article_id, row.version) for row in rows}
    articles = {article for article, _ in version_keys}
    versions_by_key = {
        (version.article_id, version.number): version
        for version in ArticleVersion.select(ArticleVersion, Article)
        .join(Article)
        .where(ArticleVersion.article.in_(articles))
    }
    return [
        OpenedArticle(versions_by_key[row.article_id, row.version], row.at, row.who, row.useful)
        for row in rows
        if (row.article_id, row.version) in versions_by_key
    ]


def export_opened_articles(opened_articles: Iterable[OpenedArticle]) -> list[dict[str, str | int]]:
    """Return the slug and version number of opened articles for an export, each pair once."""
    version_keys = dict.fromkeys(
        (item.version.article.slug, item.version.number) for item in opened_articles
    )
    return [{"article": slug, "version": number} for slug, number in version_keys]


def usage_by_article(begin: dt.datetime, end: dt.datetime) -> dict[int, ArticleUsage]:
    """Return the use of each article in [begin, end), by article id.

    Articles that nobody opened are left out.
    """
    rows = (
        ArticleOpening.select(
            ArticleOpening.article,
            fn.COUNT(ArticleOpening.id),
            fn.SUM(Case(None, [(ArticleOpening.call_id != "", 1)], 0)),
            fn.SUM(Case(None, [(ArticleOpening.useful == True, 1)], 0)),  # noqa: E712  # SQL's
            fn.SUM(Case(None, [(ArticleOpening.useful == False, 1)], 0)),  # noqa: E712
            fn.MAX(ArticleOpening.at),
        )
        .where(ArticleOpening.at >= begin, ArticleOpening.at < end)
        .group_by(ArticleOpening.article)
        .tuples()
    )
    return {
        article: ArticleUsage(opened_count, on_calls, useful, useless, _as_datetime(last_at))
        for article, opened_count, on_calls, useful, useless, last_at in rows
    }


def failed_searches(begin: dt.datetime, end: dt.datetime, limit: int = 100) -> list[FailedSearch]:
    """Return the at most `limit` searches in [begin, end) that found nothing.

    The most frequent are first. Texts that differ only in script, capital letters or signs count as
    the same.
    """
    search_count = fn.COUNT(ArticleMiss.id)
    rows = (
        ArticleMiss.select(fn.MAX(ArticleMiss.text), search_count, fn.MAX(ArticleMiss.at))
        .where(ArticleMiss.at >= begin, ArticleMiss.at < end)
        .group_by(ArticleMiss.key)
        .order_by(search_count.desc(), fn.MAX(ArticleMiss.at).desc())
        .limit(limit)
        .tuples()
    )
    return [
        FailedSearch(text, count, last_at)
        for text, count, stored_at in rows
        if (last_at := _as_datetime(stored_at))
    ]


def _as_datetime(value: dt.datetime | int | None) -> dt.datetime | None:
    """Convert a time that a query returned, if any, to a datetime.

    The result of MAX() is not converted by peewee: it may be the stored number.
    """
    return ArticleMiss.at.python_value(value) if isinstance(value, int) else value
