"""Articles: written by the manager, approved by the ministry, read by who is on the phone (A8).

Of an article its words are versions (casework.versions); where it stands, who sees to it and when
it is looked through again is changed at once.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from appliance.casework import catalogs, versions
from appliance.casework.changes import links
from appliance.casework.knowledge import files, markdown, searching, wording
from appliance.casework.knowledge.errors import ArticleError
from appliance.core import audit, live
from appliance.core.db import writing
from appliance.core.i18n import fold, spelt
from appliance.models import Article, ArticleVersion, ChangeRequest, User

TOPIC = "knowledge"
SECTIONS = "article_section"  # the list of sections
TOPICS = "direction"  # the list whose values propose articles
MANAGES = versions.WRITES
SEES_DRAFTS = versions.READERS

TITLE, TEXT, LINE = 200, 20_000, 300  # characters at most
_WORDS = ("title_uz", "text_uz", "title_ru", "text_ru", "source", "law", "law_number")
_COMPARED = (*_WORDS, "law_on", "expires_on")
_SLUG = 60
RESERVED = {"new", "preview", "use"}  # words that addresses have beside names of articles


@dataclass(frozen=True)
class Words:
    """What is written of a version."""

    title_uz: str = ""
    text_uz: str = ""
    title_ru: str = ""
    text_ru: str = ""
    source: str = ""
    law: str = ""
    law_number: str = ""
    law_on: dt.date | None = None
    expires_on: dt.date | None = None


@dataclass(frozen=True)
class Place:
    """Where an article stands, who sees to it, and by which other words it is found."""

    section: str
    topics: tuple[str, ...] = ()
    owner: str = ""  # login; "" for nobody
    review_on: dt.date | None = None
    other_words: str = ""  # parted by commas


def find(slug: str) -> Article | None:
    """The article of this name; None when there is none."""
    return Article.get_or_none(Article.slug == slug)


def in_force(article: Article) -> ArticleVersion | None:
    """What of an article is in force; None when nothing is."""
    theirs = ArticleVersion.article == article
    return ArticleVersion.get_or_none(theirs, versions.holding(ArticleVersion))


def of(article: Article) -> list[ArticleVersion]:
    """The versions of an article, the newest first."""
    return versions.of(ArticleVersion, article)


def version(article: Article, number: int) -> ArticleVersion | None:
    """The version of this number; None when there is none."""
    return ArticleVersion.get_or_none(
        ArticleVersion.article == article, ArticleVersion.number == number
    )


def pending(article: Article) -> ArticleVersion | None:
    """The version to come; None when there is none."""
    found: ArticleVersion | None = versions.pending(ArticleVersion, article)
    return found


def create(
    user: User, words: Words, place: Place, request: ChangeRequest | None = None
) -> ArticleVersion:
    """Write the first draft of a new article. Raises ArticleError."""
    if user.role not in MANAGES:
        raise ArticleError("action")
    row, placed = columns(words), _placed(place)
    if not (row["title_uz"] or row["title_ru"]):
        raise ArticleError("title")
    with writing():
        slug = _free(row["title_uz"] or row["title_ru"])
        article = Article.create(slug=slug, **placed)
        made: ArticleVersion = versions.begin(ArticleVersion, article, user, request, **row)
        audit.record(user.login, "article.create", slug, section=place.section)
        live.publish(TOPIC)
    return made


def take_in(slug: str, words: Words, place: Place) -> ArticleVersion:
    """Keep an article from the command line as the next draft under its name.

    Raises ArticleError: `title`, `pending` when a version is to come already, and for its place.
    """
    row, placed = columns(words), _placed(place)
    if not (row["title_uz"] or row["title_ru"]):
        raise ArticleError("title")
    with writing():
        named = "-".join(fold(slug).split())[:_SLUG].strip("-")
        article = find(named) if named not in RESERVED else None
        if not article:
            article = Article.create(slug=_free(slug), **placed)
        made: ArticleVersion = _tried(
            lambda: versions.begin(ArticleVersion, article, None, None, **row)
        )
        _put_place(article, placed)
        audit.record(versions.SYSTEM, "article.create", article.slug, section=place.section)
        live.publish(TOPIC)
    return made


def begin(article: Article, user: User, source: ArticleVersion) -> ArticleVersion:
    """Begin a draft from a version. Raises ArticleError: `pending`, `action`."""
    copied = {name: getattr(source, name) for name in (*_COMPARED, "files", "script")}
    with writing():
        made: ArticleVersion = _tried(
            lambda: versions.begin(ArticleVersion, article, user, None, **copied)
        )
        detail = {"version": made.number, "source": source.number}
        audit.record(user.login, "article.begin", article.slug, **detail)
        live.publish(TOPIC)
    return made


def save(
    row: ArticleVersion,
    user: User,
    seen: int,
    words: Words,
    place: Place,
    sent: Iterable[files.Sent] = (),
    without: Iterable[int] = (),
    request: ChangeRequest | None = None,
) -> None:
    """Change a draft and its article; `without`: the files that it shows no more.

    A file that cannot be kept leaves everything as it was. Raises ArticleError.
    """
    now, placed, article = columns(words), _placed(place), row.article
    if not (now["title_uz"] or now["title_ru"]):
        raise ArticleError("title")
    gone, checked = set(without), files.check(sent)
    with writing():
        stay = [number for number in row.files if number not in gone]
        now["files"] = stay + files.keep(row, len(stay), checked, user.login)
        now["request"] = request
        _tried(lambda: versions.write(row, user, seen, **now))
        _put_place(article, placed)
        files.forget(article)
        audit.record(user.login, "article.change", article.slug, version=row.number)
        live.publish(TOPIC)


def put_place(article: Article, user: User, place: Place) -> None:
    """Change where an article stands, who sees to it and when. Raises ArticleError."""
    if user.role not in MANAGES:
        raise ArticleError("action")
    placed = _placed(place)
    with writing():
        _put_place(article, placed)
        detail = {"section": place.section, "owner": place.owner, "review_on": str(place.review_on)}
        detail["other_words"] = place.other_words
        audit.record(user.login, "article.place", article.slug, **detail)
        live.publish(TOPIC)


def discard(row: ArticleVersion, user: User, seen: int) -> bool:
    """Throw a draft away, and an article that has no other version; whether the article stays."""
    article = row.article
    with writing():
        _tried(lambda: versions.discard(row, user, seen))
        files.forget(article)
        stays = ArticleVersion.select().where(ArticleVersion.article == article).exists()
        if not stays:
            article.delete_instance()
        audit.record(user.login, "article.discard", article.slug, version=row.number)
        live.publish(TOPIC)
    return bool(stays)


def do(
    action: str,
    row: ArticleVersion,
    user: User,
    seen: int,
    words: str = "",
    since: dt.datetime | None = None,
) -> ArticleVersion:
    """A step of casework.versions.MOVES; the version as it is then.

    Raises ArticleError: `languages` for one that says not everything in Uzbek and Russian, and
    what versions.do does. What is put in force for a change request is noted there.
    """
    if action == "send" and not all(wording.has(row, one) for one in wording.LANGUAGES):
        raise ArticleError("languages")
    before = in_force(row.article)
    with writing():
        done: ArticleVersion = _tried(
            lambda: versions.do(action, row, user, seen, "article", row.article.slug, words, since)
        )
        if action == "put" and done.request:
            title = done.title_uz or done.title_ru
            ref = f"{row.article.slug}/{done.number}"
            links.link(done.request, user, "article", ref, title, texts(before), texts(done))
        searching.remember(row.article)
        live.publish(TOPIC)
    return done


def differences(
    before: ArticleVersion, after: ArticleVersion
) -> list[tuple[str, str | None, str | None]]:
    """(field, before, after) of what two versions say otherwise; files by their names."""
    was, now = texts(before), texts(after)
    return [(name, was[name], now[name]) for name in now if was[name] != now[name]]


def texts(row: ArticleVersion | None) -> dict[str, str | None]:
    """Field → what a version says there; None for what it does not have."""
    if not row:
        return {}
    found: dict[str, str | None] = {}
    for name in _COMPARED:
        value = getattr(row, name)
        found[name] = f"{value:%d.%m.%Y}" if isinstance(value, dt.date) else value or None
    found["files"] = ", ".join(one.name for one in files.of_version(row)) or None
    return found


def words_of(row: ArticleVersion) -> Words:
    """What is written of a version."""
    return Words(**{name: getattr(row, name) for name in _COMPARED})


def place_of(article: Article) -> Place:
    """Where an article stands."""
    owner = article.owner.login if article.owner else ""
    topics = tuple(article.topics)
    return Place(article.section, topics, owner, article.review_on, article.other_words)


def owners() -> list[User]:
    """Who may see to articles."""
    able = User.select().where(User.role.in_(versions.READERS), User.active)
    return list(able.order_by(User.name))


def columns(words: Words) -> dict[str, Any]:
    """What is written of a version, as its row keeps it."""
    row: dict[str, Any] = {name: getattr(words, name) for name in _COMPARED}
    for name in _WORDS:
        most = TITLE if name.startswith("title") else TEXT if name.startswith("text") else LINE
        text = row[name].replace("\r\n", "\n").replace("\x00", "").strip()
        row[name] = (text if name.startswith("text") else " ".join(text.split()))[:most]
    row["script"] = wording.script_of(f"{row['title_uz']} {markdown.plain(row['text_uz'])}")
    if row["script"] == "Latn":
        row["title_uz"] = spelt(row["title_uz"])
        row["text_uz"] = "\n".join(_spelt(line) for line in row["text_uz"].split("\n"))
    return row


def _spelt(line: str) -> str:
    """A line with the apostrophes of Uzbek; blanks stay, for Markdown means something by them."""
    begin = line[: len(line) - len(line.lstrip())]
    end = line[len(line.rstrip()) :]
    return begin + re.sub(r"\S+", lambda word: spelt(word[0]), line.strip()) + end


def _placed(place: Place) -> dict[str, Any]:
    if place.section not in catalogs.labels(SECTIONS, "ru"):
        raise ArticleError("section")
    known = catalogs.labels(TOPICS, "ru")
    if any(topic not in known for topic in place.topics):
        raise ArticleError("topic")
    owner = User.get_or_none(User.login == place.owner) if place.owner else None
    if place.owner and (not owner or owner.role not in versions.READERS):
        raise ArticleError("owner")
    return {
        "section": place.section,
        "topics": [topic for topic in known if topic in place.topics],
        "owner": owner,
        "review_on": place.review_on,
        "other_words": " ".join(place.other_words.split())[:LINE],
    }


def _put_place(article: Article, placed: dict[str, Any]) -> None:
    Article.update(placed).where(Article.id == article.id).execute()
    searching.remember(Article.get_by_id(article.id))


def _free(title: str) -> str:
    """A name for addresses, made of a title, that no article has."""
    stem = "-".join(fold(title).split())[:_SLUG].strip("-") or "article"
    taken = {row.slug for row in Article.select(Article.slug).where(Article.slug ** f"{stem}%")}
    taken |= RESERVED
    names = (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _tried(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except versions.VersionError as error:
        raise ArticleError(error.code) from error
