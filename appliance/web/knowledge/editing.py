"""Articles as the manager writes them and the ministry approves them; how they are used."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.casework import catalogs, knowledge, versions
from appliance.casework.knowledge import (
    ArticleError,
    articles,
    markdown,
    openings,
    wording,
)
from appliance.core import clock, script
from appliance.people import accounts
from appliance.web.knowledge import article_form, reading, words
from appliance.web.shell import moments, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded, document
from appliance.web.shell.sizes import takes_file

if TYPE_CHECKING:
    from appliance.models import Article, ArticleVersion

screen = Blueprint("articles", __name__, url_prefix="/articles")

SENT = 39 * 1024 * 1024  # bytes of a form: a file that is too large comes in, and is refused
WRITES, READS = versions.WRITES, versions.READERS
SHOWN = ("all", "ministry", "to_do", "drafts", "in_force", "review", "expired")
PERIODS = (30, 90, 365)  # days
MOST = 60  # drafts sent at once


@screen.get("")
@may("article.read")
def page() -> str:
    """Every article and where it stands; `show` narrows it, `section` too."""
    return render_template("articles/page.html", **_list())


@screen.get("/list")
@may("article.read")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("articles/list.html", **_list())


@screen.get("/new")
@may("article.write")
def new() -> str:
    """An article to be written."""
    was = refusals.latest()
    typed = was.values or MultiDict({"section": request.args.get("section", "")})
    return render_template("articles/new.html", **article_form.shown(typed, was.trouble))


@screen.post("")
@takes_file(SENT)
@may("article.write")
def create() -> Response:
    """Write the first draft of an article down."""
    try:
        made = articles.create(
            me(), article_form.words(), article_form.place(), article_form.change_request()
        )
    except ArticleError as error:
        return refusals.back(url_for(".new"), error.code)
    there = url_for(".one", slug=made.article.slug)
    if sent := article_form.files_sent():
        try:
            articles.save(
                made,
                me(),
                made.revision,
                article_form.words(),
                article_form.place(),
                sent,
                (),
                made.request,
            )
        except ArticleError as error:
            return refusals.back(there, error.code)
    flash(_("Saved."))
    return redirect(there)


@screen.get("/<slug>")
@may("article.read")
def one(slug: str) -> str:
    """An article: its version to come, to be written or judged, and its versions."""
    found, was = _article(slug), refusals.latest()
    rows = articles.of(found)
    coming, held = articles.pending(found), articles.in_force(found)
    shown = coming or held or rows[0]
    writes = bool(coming and coming.state in versions.OPEN and me().role in WRITES)
    typed = was.values if "title_uz" in was.values else article_form.filled(shown)
    return render_template(
        "articles/one.html",
        **_common(shown),
        **article_form.shown(typed, was.trouble),
        coming=coming,
        held=held,
        writes=writes,
        versions=rows,
        told=was.values,
        differences=_differences(held, coming) if held and coming else [],
        todo={name: words.BUTTONS[name] for name in versions.possible(shown, me().role)},
    )


@screen.post("/<slug>/draft")
@may("article.write")
def begin(slug: str) -> Response:
    """Begin a draft from the version in force, or from another one (`number`)."""
    found = _article(slug)
    number = request.form.get("number", 0, bounded)
    rows = articles.of(found)
    source = next((row for row in rows if row.number == number), None)
    source = source or articles.in_force(found) or rows[0]
    return _done(slug, lambda: articles.begin(found, me(), source))


@screen.post("/<slug>/save")
@takes_file(SENT)
@may("article.write")
def save(slug: str) -> Response:
    """Change the draft."""
    coming = articles.pending(_article(slug)) or abort(404)
    seen, gone = request.form.get("seen", 0, bounded), request.form.getlist("gone", bounded)

    def write() -> None:
        sent = article_form.files_sent()
        articles.save(
            coming,
            me(),
            seen,
            article_form.words(),
            article_form.place(),
            sent,
            gone,
            article_form.change_request(),
        )

    return _done(slug, write, _("Saved."))


@screen.post("/<slug>/discard")
@may("article.write")
def discard(slug: str) -> Response:
    """Throw the draft away."""
    coming = articles.pending(_article(slug)) or abort(404)
    try:
        stays = articles.discard(coming, me(), request.form.get("seen", 0, bounded))
    except ArticleError as error:
        return refusals.back(url_for(".one", slug=slug), error.code)
    return redirect(url_for(".one", slug=slug) if stays else url_for(".page"))


@screen.post("/<slug>/place")
@may("article.write")
def place(slug: str) -> Response:
    """Change where the article stands, who sees to it and when it is looked through again."""
    found = _article(slug)
    return _done(slug, lambda: articles.put_place(found, me(), article_form.place()), _("Saved."))


@screen.post("/<slug>/steps/<any(send, take_back, approve, put, withdraw, retire):action>")
@may("article.write", "article.approve")
def step(slug: str, action: str) -> Response:
    """A step of the version that is to come, or of the one in force."""
    return _step(slug, action)


@screen.post("/<slug>/steps/return")
@may("article.write", "article.approve")
def send_back(slug: str) -> Response:
    """Return the version to the manager, with words."""
    return _step(slug, "return")


@screen.post("/send")
@may("article.write")
def send() -> Response:
    """Send several drafts to the ministry (`slug`, once for each)."""
    sent, left = 0, 0
    for slug in request.form.getlist("slug")[:MOST]:
        found = knowledge.find(slug)
        coming = articles.pending(found) if found else None
        if not coming:
            continue
        try:
            articles.do("send", coming, me(), coming.revision)
            sent += 1
        except ArticleError:
            left += 1
    flash(_("Sent to the ministry: %(sent)s; not sent: %(left)s.", sent=sent, left=left))
    return redirect(url_for(".page"))


@screen.get("/<slug>/versions/<int:number>")
@may("article.read")
def version(slug: str, number: int) -> str:
    """A version as readers see it, and what it says otherwise than another (`against`)."""
    found = _article(slug)
    kept = articles.version(found, number) or abort(404)
    rows = articles.of(found)
    against = request.args.get("against", max(1, number - 1), bounded)
    other = articles.version(found, against)
    return render_template(
        "articles/version.html",
        **_common(kept),
        other=other,
        versions=rows,
        differences=_differences(other, kept) if other else [],
    )


@screen.post("/preview")
@may("article.write")
def preview() -> Response:
    """A text that is being written, as readers will see it; nothing of it is kept."""
    asked = document()
    text, language = str(asked.get("text", "")), str(asked.get("language", ""))
    if language not in wording.LANGUAGES:
        abort(422)
    made = {"html": markdown.html(text), "other": ""}
    if language == "uz":
        written = wording.script_of(markdown.plain(text))
        spelt = script.latin if written == "Cyrl" else lambda line: script.written(line, "uz_Cyrl")
        made["other"] = markdown.html(text, spelt)
    return jsonify(**made)


@screen.get("/use")
@may("article.use")
def use() -> str:
    """How articles were used in the last `days`: opened, useful, never opened, searched in vain."""
    days = request.args.get("days", PERIODS[0], bounded)
    days = days if days in PERIODS else PERIODS[0]
    end = clock.now()
    begin = end - dt.timedelta(days=days)
    counted = openings.use(begin, end)
    rows = [one for one in knowledge.listed(today()) if one.in_force or one.article.id in counted]
    used = [
        (wording.title(one.in_force or one.newest, locale()), one, counted[one.article.id])
        for one in rows
        if one.article.id in counted
    ]
    never = [
        (wording.title(one.in_force, locale()), one)
        for one in rows
        if one.in_force and one.article.id not in counted
    ]
    return render_template(
        "articles/use.html",
        days=days,
        periods=PERIODS,
        used=sorted(used, key=lambda row: -row[2].opened),
        never=never,
        missed=openings.missed(begin, end),
    )


def _step(slug: str, action: str) -> Response:
    found = _article(slug)
    row = articles.pending(found) or articles.in_force(found) or abort(404)
    since = moments.typed() if action == "put" else None
    if isinstance(since, str):
        return refusals.back(url_for(".one", slug=slug), since, "todo")
    seen, text = request.form.get("seen", 0, bounded), request.form.get("text", "")

    def do() -> None:
        articles.do(action, row, me(), seen, text, since)

    return _done(slug, do, str(words.DONE[action]), "todo")


def _done(slug: str, do: Callable[[], object], told: str = "", anchor: str = "") -> Response:
    there = url_for(".one", slug=slug)
    try:
        do()
    except ArticleError as error:
        return refusals.back(there, error.code, anchor)
    if told:
        flash(told)
    return redirect(there)


def _article(slug: str) -> "Article":
    return knowledge.find(slug) or abort(404)


def _common(shown: "ArticleVersion") -> dict[str, Any]:
    uzbek = f"uz_{shown.script}" if locale() == "ru" else locale()
    return reading.shown(shown, uzbek) | {
        "words": words,
        "people": accounts.names(),
        "standing": versions.standing,
        "title": wording.title(shown, locale()),
        "russian": Markup(markdown.html(shown.text_ru)),  # noqa: S704  # passed the allow-list
        "may_write": me().role in WRITES,
    }


def _differences(before: "ArticleVersion", after: "ArticleVersion") -> list[tuple[str, str, str]]:
    return [
        (str(words.FIELDS[name]), was or "–", now or "–")
        for name, was, now in articles.differences(before, after)
    ]


def _list() -> dict[str, Any]:
    show, section = request.args.get("show", ""), request.args.get("section", "")
    show = show if show in SHOWN else "all"
    every = knowledge.listed(today())
    sections = catalogs.labels(articles.SECTIONS, locale())
    kinds: dict[str, Callable[[knowledge.Listed], object]] = {
        "all": lambda one: True,
        "drafts": lambda one: one.to_come and one.to_come.state in versions.OPEN,
        "ministry": lambda one: one.to_come and one.to_come.state == "sent",
        "to_do": lambda one: one.to_come and one.to_come.state in ("returned", "approved"),
        "in_force": lambda one: one.in_force,
        "review": lambda one: one.review,
        "expired": lambda one: one.expired,
    }
    rows = [
        one for one in every if kinds[show](one) and (not section or one.article.section == section)
    ]
    return {
        "show": show,
        "section": section,
        "shelves": list(sections.items()),
        "names": sections,
        "counts": {name: sum(bool(holds(one)) for one in every) for name, holds in kinds.items()},
        "rows": [
            (one, wording.title(one.to_come or one.in_force or one.newest, locale()))
            for one in rows
        ],
        "standing": versions.standing,
        "words": words,
        "people": accounts.names(),
        "may_write": me().role in WRITES,
        "now": clock.now().astimezone(site().tz),
    }
