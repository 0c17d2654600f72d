"""Articles in force, for who is on the phone: found as one types, opened, sent by SMS."""

import io
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from appliance.casework import appeals, catalogs, knowledge
from appliance.casework.knowledge import articles, files, openings, wording
from appliance.casework.scripts import runs
from appliance.core import clock, search
from appliance.web.knowledge import words
from appliance.web.shell.access import may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import ArticleVersion

screen = Blueprint("knowledge", __name__, url_prefix="/knowledge")

PASSAGE = 480  # characters of an article that go into a short message, to be cut by the sender


@screen.get("")
@may("knowledge.read")
def page() -> str:
    """What is in force: all of it, of a `section`, or what a search (`q`) finds."""
    return render_template("knowledge/page.html", **_list())


@screen.get("/list")
@may("knowledge.read")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("knowledge/list.html", **_list())


@screen.get("/articles/<slug>")
@may("knowledge.read")
def article(slug: str) -> str:
    """An article as it is in force; that it was opened is written down."""
    shown = _article(slug)
    return render_template("knowledge/article.html", **_opened(shown, "", ""))


@screen.get("/articles/<slug>/<int:number>/files/<int:id>")
@may("knowledge.read")
def file(slug: str, number: int, id: int) -> Response:
    """A file of a version: a picture to be shown, anything else to be saved."""
    found = knowledge.find(slug) or abort(404)
    version = articles.version(found, number) or abort(404)
    if version.state != "put" and me().role not in knowledge.SEES_DRAFTS:
        abort(404)
    kept = files.found(version, id) or abort(404)
    shown = kept.kind in files.SHOWN
    return send_file(
        io.BytesIO(kept.content),
        mimetype=files.KINDS[kept.kind] if shown else "application/octet-stream",
        as_attachment=not shown,
        download_name=kept.name,
    )


@screen.post("/openings/<int:number>")
@may("knowledge.read")
def say(number: int) -> Response:
    """Keep whether an article was useful to who opened it."""
    useful = request.form.get("useful")
    if useful not in ("yes", "no"):
        abort(400)
    if not openings.say(number, me(), useful == "yes"):
        abort(404)
    if request.headers.get("HX-Request"):
        return Response(status=204)
    found = openings.of(number) or abort(404)
    return redirect(url_for(".article", slug=found.article.slug))


@screen.get("/beside/<token>")
@may("desk.work")
def beside(token: str) -> str:
    """What the form on the desk proposes, or a search (`q`) finds: a piece of the operator's page.

    Proposed are those of the step of its script that is open, then those of its direction.
    """
    desk = appeals.of_form(me(), token) or appeals.of_registered(me(), token) or abort(404)
    topic = _topic(desk)
    found = _found(request.args.get("q", "")) if "q" in request.args else None
    every = knowledge.published(today()) if found is None else []
    named = runs.articles_of(me(), desk.token, desk.call)
    proposed = [row for row in every if row.article.slug in named]
    proposed += [row for row in every if topic in row.article.topics and row not in proposed]
    shown = found if found is not None else proposed or every
    return render_template(
        "knowledge/beside.html",
        token=token,
        proposed=bool(proposed),
        q=request.args.get("q"),
        rows=[(row, wording.title(row, locale())) for row in shown],
    )


@screen.get("/beside/<token>/<slug>")
@may("desk.work")
def opened(token: str, slug: str) -> str:
    """An article beside the form; that it was opened stands on the call and the form."""
    desk = appeals.of_form(me(), token) or appeals.of_registered(me(), token) or abort(404)
    call_id = desk.call.id if desk.call else ""
    return render_template(
        "knowledge/opened.html", token=token, **_opened(_article(slug), call_id, desk.token)
    )


def shown_at(call_id: str, *tokens: str | None) -> list[tuple[str, openings.Shown]]:
    """(title, what was opened) at a call or at forms of these names, for cards."""
    found = knowledge.at_call(call_id, [token for token in tokens if token])
    return [(wording.title(one.version, locale()), one) for one in found]


def _topic(desk: appeals.Desk) -> str:
    """The code of the direction that the form names, else of the topic the caller chose."""
    typed = str(desk.draft.values.get("direction", "")) if desk.draft else ""
    if typed:
        return catalogs.code_of(articles.TOPICS, typed) or ""
    made = desk.registered[-1] if desk.registered else desk.call_form
    return str(made.direction if made else (desk.call.topic or "") if desk.call else "")


def _article(slug: str) -> "ArticleVersion":
    found = knowledge.find(slug)
    return (knowledge.in_force(found) if found else None) or abort(404)


def _opened(version: "ArticleVersion", call_id: str, token: str) -> dict[str, Any]:
    text = wording.of(version, locale())
    opening = openings.opened(version, me(), text.locale, call_id, token)
    return shown(version) | {"opening": opening, "passage": " ".join(text.plain.split())[:PASSAGE]}


def shown(version: "ArticleVersion", language: str = "") -> dict[str, Any]:
    """What a template says of a version, in a language; without one, in the reader's."""
    text = wording.of(version, language or locale())
    return {
        "article": version.article,
        "version": version,
        "text": text,
        "body": Markup(text.html),  # noqa: S704  # passed the allow-list of markdown.html
        "law": words.law(version),
        "files": files.of_version(version),
        "expired": bool(version.expires_on and version.expires_on < today()),
        "section": catalogs.labels(articles.SECTIONS, locale()).get(version.article.section, ""),
    }


def _found(text: str) -> "list[ArticleVersion]":
    found = knowledge.found(text, today())
    if not found:
        knowledge.nothing_found(text, me())
    return found


def _with_snippet(
    row: "ArticleVersion", asked: search.Query
) -> "tuple[ArticleVersion, wording.Wording, list[search.Piece]]":
    """An article of the list with the place of its text where what was looked for stands."""
    text = wording.of(row, locale())
    return row, text, search.snippet(text.plain, asked)


def _list() -> dict[str, Any]:
    q, section = request.args.get("q", "").strip(), request.args.get("section", "")
    asked, sections = search.query(q), catalogs.labels(articles.SECTIONS, locale())
    section = section if section in sections else ""
    every = knowledge.published(today())
    rows = _found(q) if q else [row for row in every if section in ("", row.article.section)]
    counts = {code: sum(row.article.section == code for row in every) for code in sections}
    return {
        "q": q,
        "section": section,
        "shelves": [(code, name, counts[code]) for code, name in sections.items() if counts[code]],
        "names": sections,
        "number": len(every),
        "rows": [_with_snippet(row, asked) for row in rows],
        "now": clock.now(),
    }
