"""The knowledge base for its readers: they search the articles in force, open them, rate them."""

import io
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from appliance.casework import catalogs
from appliance.casework.appeals.desk import OperatorDesk
from appliance.casework.knowledge import articles, files, listing, openings, searching, wording
from appliance.casework.scripts import runs
from appliance.core import clock, search
from appliance.web.knowledge import article_labels
from appliance.web.shared.operator_forms import own_desk
from appliance.web.shell.access import may
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import ArticleVersion

screen = Blueprint("knowledge", __name__, url_prefix="/knowledge")

MAX_PASSAGE_LENGTH = (
    480  # characters of an article that are proposed for an SMS; the sender then shortens them
)


@screen.get("")
@may("knowledge.read")
def show_knowledge_base() -> str:
    """Show the articles in force: all, those of a `section`, or those found by the search `q`."""
    return render_template("knowledge/page.html", **_published_list_context())


@screen.get("/list")
@may("knowledge.read")
def show_published_list() -> str:
    """Show the articles in force that `section` or `q` selects, as a fragment of the open page."""
    return render_template("knowledge/list.html", **_published_list_context())


@screen.get("/articles/<slug>")
@may("knowledge.read")
def show_published_article(slug: str) -> str:
    """Show the version of an article that is in force; that it was opened is recorded."""
    version = _published_version(slug)
    return render_template("knowledge/article.html", **_opening_context(version, "", ""))


@screen.get("/articles/<slug>/<int:number>/files/<int:id>")
@may("knowledge.read")
def send_version_file(slug: str, number: int, id: int) -> Response:
    """Send a file of a version: files of INLINE_KINDS for display, others as a download.

    The files of a version that was not put in force are sent only to users who may read drafts;
    others get 404.
    """
    article = articles.find_article(slug) or abort(404)
    version = articles.find_version(article, number) or abort(404)
    if version.state != "put" and me().role not in articles.DRAFT_READER_ROLES:
        abort(404)
    version_file = files.find_file(version, id) or abort(404)
    is_inline = version_file.kind in files.INLINE_KINDS
    return send_file(
        io.BytesIO(version_file.content),
        mimetype=files.MIME_TYPES[version_file.kind] if is_inline else "application/octet-stream",
        as_attachment=not is_inline,
        download_name=version_file.name,
    )


@screen.post("/openings/<int:number>")
@may("knowledge.read")
def record_usefulness(number: int) -> Response:
    """Store whether an article was useful to the user who opened it.

    `number` is the id of the opening. Aborts with 404 if another user opened it.
    """
    useful = request.form.get("useful")
    if useful not in ("yes", "no"):
        abort(400)
    if not openings.record_feedback(number, me(), useful == "yes"):
        abort(404)
    if request.headers.get("HX-Request"):
        return Response(status=204)
    opening = openings.find_opening(number) or abort(404)
    return redirect(url_for(".show_published_article", slug=opening.article.slug))


@screen.get("/beside/<token>")
@may("desk.work")
def propose_articles(token: str) -> str:
    """Show articles next to the open form, as a fragment of the page; `token` identifies the form.

    With `q`, these are the results of a search. Otherwise they are the articles that the open step
    of the form's script names, then those of the form's direction (the subject of the appeal); if
    there is no such article, all are shown.
    """
    desk = own_desk(token)
    topic = _form_topic(desk)
    search_results = _search_articles(request.args.get("q", "")) if "q" in request.args else None
    all_articles = listing.published_versions(today()) if search_results is None else []
    script_slugs = runs.articles_at_open_step(me(), desk.token, desk.call)
    proposals = [row for row in all_articles if row.article.slug in script_slugs]
    proposals += [
        row for row in all_articles if topic in row.article.topics and row not in proposals
    ]
    listed_articles = search_results if search_results is not None else proposals or all_articles
    return render_template(
        "knowledge/beside.html",
        token=token,
        proposed=bool(proposals),
        q=request.args.get("q"),
        rows=[(row, wording.localized_title(row, locale())) for row in listed_articles],
    )


@screen.get("/beside/<token>/<slug>")
@may("desk.work")
def open_form_article(token: str, slug: str) -> str:
    """Show an article next to the form; that it was opened is recorded with call and form.

    `token` identifies the form.
    """
    desk = own_desk(token)
    call_id = desk.call.id if desk.call else ""
    return render_template(
        "knowledge/opened.html",
        token=token,
        **_opening_context(_published_version(slug), call_id, desk.token),
    )


def _form_topic(desk: OperatorDesk) -> str:
    """Return the code of the form's direction, or else of the topic that the caller selected.

    The direction is the subject of the appeal; callers select a topic in the voice menu, from the
    same list. Returns "" if there is neither.
    """
    direction = str(desk.draft.values.get("direction", "")) if desk.draft else ""
    if direction:
        return catalogs.code_by_name(articles.DIRECTION_LIST, direction) or ""
    latest_form = desk.registered[-1] if desk.registered else desk.call_form
    return str(
        latest_form.direction if latest_form else (desk.call.topic or "") if desk.call else ""
    )


def _published_version(slug: str) -> "ArticleVersion":
    """Return the version of an article that is in force; abort with 404 if there is no such one."""
    article = articles.find_article(slug)
    return (articles.version_in_force(article) if article else None) or abort(404)


def _opening_context(version: "ArticleVersion", call_id: str, token: str) -> dict[str, Any]:
    """Record that the user opened a version, and return the context that shows it.

    `call_id` and `token` are the call and the form during which it was opened, or "". `passage` is
    the beginning of the text, proposed for an SMS.
    """
    text = wording.localized_article(version, locale())
    opening = openings.record_opening(version, me(), text.locale, call_id, token)
    return version_context(version) | {
        "opening": opening,
        "passage": " ".join(text.plain.split())[:MAX_PASSAGE_LENGTH],
    }


def version_context(version: "ArticleVersion", language: str = "") -> dict[str, Any]:
    """Return the template context of a version.

    `language` is the locale of its text, by default the reader's; `expired`: the expiry date that
    the version states has passed.
    """
    text = wording.localized_article(version, language or locale())
    return {
        "article": version.article,
        "version": version,
        "text": text,
        "body": Markup(text.html),  # noqa: S704  # passed the allow-list of markdown.html
        "law": article_labels.law_reference(version),
        "files": files.version_files(version),
        "expired": bool(version.expires_on and version.expires_on < today()),
        "section": catalogs.labels_by_code(articles.SECTION_LIST, locale()).get(
            version.article.section, ""
        ),
    }


def _search_articles(text: str) -> "list[ArticleVersion]":
    """Return the articles in force that match a text; a search without result is recorded."""
    results = searching.search_articles(text, today())
    if not results:
        searching.record_failed_search(text, me())
    return results


def _snippet_row(
    row: "ArticleVersion", query: search.SearchQuery
) -> "tuple[ArticleVersion, wording.LocalizedArticle, list[search.TextPiece]]":
    """Return (version, its text, snippet) for the list of articles.

    The snippet is the passage that matches the query, in pieces of which some are highlighted.
    """
    text = wording.localized_article(row, locale())
    return row, text, search.build_snippet(text.plain, query)


def _published_list_context() -> dict[str, Any]:
    """Return the context of the list of articles in force that `q` or `section` selects.

    `shelves` are the sections that have articles, as (code, name, number of articles).
    """
    q, section = request.args.get("q", "").strip(), request.args.get("section", "")
    query, sections = (
        search.parse_query(q),
        catalogs.labels_by_code(articles.SECTION_LIST, locale()),
    )
    section = section if section in sections else ""
    all_articles = listing.published_versions(today())
    rows = (
        _search_articles(q)
        if q
        else [row for row in all_articles if section in ("", row.article.section)]
    )
    counts = {code: sum(row.article.section == code for row in all_articles) for code in sections}
    return {
        "q": q,
        "section": section,
        "shelves": [(code, name, counts[code]) for code, name in sections.items() if counts[code]],
        "names": sections,
        "number": len(all_articles),
        "rows": [_snippet_row(row, query) for row in rows],
        "now": clock.now(),
    }
