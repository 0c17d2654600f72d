"""What was shown of the knowledge base, to whom, at which call: proof, and figures of use (B12)."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from peewee import Case, fn

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.models import Article, ArticleMiss, ArticleOpening, ArticleVersion, User

_AGAIN = dt.timedelta(minutes=30)  # within which an opening without a call is the same one


@dataclass(frozen=True)
class Use:
    """How often an article was opened in a period, and what readers said of it."""

    opened: int = 0
    on_calls: int = 0
    useful: int = 0
    useless: int = 0
    last: dt.datetime | None = None


@dataclass(frozen=True)
class Miss:
    """A search that found nothing: its words, how often, and when last."""

    text: str
    times: int
    last: dt.datetime


@dataclass(frozen=True)
class Shown:
    """An article that was opened at a call or a form: the version, by whom, when first."""

    version: ArticleVersion
    at: dt.datetime
    who: str
    useful: bool | None


def opened(
    version: ArticleVersion, user: User, locale: str, call_id: str = "", token: str = ""
) -> ArticleOpening:
    """Write down that somebody opened a version; the same one at the same call once."""
    now = clock.now()
    same = [
        ArticleOpening.article == version.article_id,
        ArticleOpening.version == version.number,
        ArticleOpening.who == user.login,
        ArticleOpening.call_id == call_id,
        ArticleOpening.token == token,
    ]
    if not call_id and not token:
        same.append(ArticleOpening.at > now - _AGAIN)
    with writing():
        before = ArticleOpening.select().where(*same).first()
        if before:
            return before
        made = ArticleOpening.create(
            article=version.article_id,
            version=version.number,
            who=user.login,
            at=now,
            locale=locale,
            call_id=call_id,
            token=token,
        )
        if call_id:
            live.publish("calls")
    return made


def of(number: int) -> ArticleOpening | None:
    """The opening of this id; None when there is none."""
    return ArticleOpening.get_or_none(ArticleOpening.id == number)


def say(number: int, user: User, useful: bool) -> bool:
    """Keep what somebody says of an article that he opened; False when it is not his opening."""
    with writing():
        done = (
            ArticleOpening.update(useful=useful)
            .where(ArticleOpening.id == number, ArticleOpening.who == user.login)
            .execute()
        )
    return bool(done)


def at_call(call_id: str, tokens: Iterable[str] = ()) -> list[Shown]:
    """What was opened at a call, or at forms of these names, in the order of opening."""
    named = [token for token in tokens if token]
    conditions = ([ArticleOpening.call_id == call_id] if call_id else []) + (
        [ArticleOpening.token.in_(named)] if named else []
    )
    if not conditions:
        return []
    condition = conditions[0] if len(conditions) == 1 else conditions[0] | conditions[1]
    rows = list(ArticleOpening.select().where(condition).order_by(ArticleOpening.id))
    wanted = {(row.article_id, row.version) for row in rows}
    articles = {article for article, _ in wanted}
    found = {
        (version.article_id, version.number): version
        for version in ArticleVersion.select(ArticleVersion, Article)
        .join(Article)
        .where(ArticleVersion.article.in_(articles))
    }
    return [
        Shown(found[row.article_id, row.version], row.at, row.who, row.useful)
        for row in rows
        if (row.article_id, row.version) in found
    ]


def exported(shown: Iterable[Shown]) -> list[dict[str, str | int]]:
    """What was opened, for an export: each article with its version once."""
    found = dict.fromkeys((one.version.article.slug, one.version.number) for one in shown)
    return [{"article": slug, "version": number} for slug, number in found]


def use(begin: dt.datetime, end: dt.datetime) -> dict[int, Use]:
    """Id of an article → how it was used in a period; those that nobody opened are not in it."""
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
        article: Use(opened, on_calls, useful, useless, _moment(last))
        for article, opened, on_calls, useful, useless, last in rows
    }


def missed(begin: dt.datetime, end: dt.datetime, limit: int = 100) -> list[Miss]:
    """The searches of a period that found nothing, the most frequent first."""
    times = fn.COUNT(ArticleMiss.id)
    rows = (
        ArticleMiss.select(fn.MAX(ArticleMiss.text), times, fn.MAX(ArticleMiss.at))
        .where(ArticleMiss.at >= begin, ArticleMiss.at < end)
        .group_by(ArticleMiss.key)
        .order_by(times.desc(), fn.MAX(ArticleMiss.at).desc())
        .limit(limit)
        .tuples()
    )
    return [Miss(text, count, last) for text, count, at in rows if (last := _moment(at))]


def _moment(value: dt.datetime | int | None) -> dt.datetime | None:
    return ArticleMiss.at.python_value(value) if isinstance(value, int) else value
