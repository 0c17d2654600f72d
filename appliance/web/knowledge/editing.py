"""Articles for the manager, who writes them, and the ministry, which approves them; their use."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.casework import versions
from appliance.casework.knowledge import articles, markdown, wording
from appliance.core import script
from appliance.core.refusals import Refused
from appliance.web.knowledge import article_contexts, article_form, article_labels
from appliance.web.shell import refusals, typed_times
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import parse_count, require_json_object
from appliance.web.shell.size_limits import accepts_file

if TYPE_CHECKING:
    from appliance.models import Article

screen = Blueprint("articles", __name__, url_prefix="/articles")

# More than the limit of a single file, so that a file that is too large is refused with a message.
MAX_FORM_BYTES = 39 * 1024 * 1024
PERIOD_DAYS = (30, 90, 365)
MAX_DRAFTS_AT_ONCE = 60  # drafts sent in one request


@screen.get("")
@may("article.read")
def list_articles() -> str:
    """Show the articles that the parameters `show` and `section` select, with their states."""
    return render_template("articles/page.html", **article_contexts.article_list_context())


@screen.get("/list")
@may("article.read")
def show_article_list() -> str:
    """Show the list as a fragment of the open page."""
    return render_template("articles/list.html", **article_contexts.article_list_context())


@screen.get("/new")
@may("article.write")
def show_new_article_form() -> str:
    """Show the form of a new article."""
    refusal = refusals.latest_refusal()
    form_values = refusal.values or MultiDict({"section": request.args.get("section", "")})
    return render_template(
        "articles/new.html", **article_form.form_context(form_values, refusal.trouble)
    )


@screen.post("")
@accepts_file(MAX_FORM_BYTES)
@may("article.write")
def create_article() -> Response:
    """Store the first draft of a new article, and redirect to the article's page.

    If its files are refused, the article is stored without them, so that its texts are not lost.
    """
    try:
        draft = articles.create_article(
            me(),
            article_form.submitted_texts(),
            article_form.submitted_placement(),
            article_form.selected_change_request(),
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".show_new_article_form"), error.code)
    article_url = url_for(".show_article", slug=draft.article.slug)
    if uploads := article_form.uploaded_files():
        try:
            articles.save_draft(
                draft,
                me(),
                draft.revision,
                article_form.submitted_texts(),
                article_form.submitted_placement(),
                uploads,
                (),
                draft.request,
            )
        except Refused as error:
            return refusals.redirect_back(article_url, error.code)
    flash(_("Saved."))
    return redirect(article_url)


@screen.get("/<slug>")
@may("article.read")
def show_article(slug: str) -> str:
    """Show an article: its pending version, to be edited or decided on, and all its versions.

    If there is no pending version, the one in force is shown.
    """
    article, refusal = _article_or_404(slug), refusals.latest_refusal()
    rows = articles.article_versions(article)
    pending, in_force = articles.pending_version(article), articles.version_in_force(article)
    displayed = pending or in_force or rows[0]
    can_write = bool(
        pending and pending.state in versions.EDITABLE_STATES and me().role in versions.WRITER_ROLES
    )
    form_values = (
        refusal.values if "title_uz" in refusal.values else article_form.version_values(displayed)
    )
    return render_template(
        "articles/one.html",
        **article_contexts.version_context(displayed),
        **article_form.form_context(form_values, refusal.trouble),
        coming=pending,
        held=in_force,
        writes=can_write,  # the page is the form of the draft, otherwise it only shows the version
        versions=rows,
        told=refusal.values,  # of a refused step, such as a comment that was already typed
        differences=article_contexts.difference_rows(in_force, pending)
        if in_force and pending
        else [],
        todo={
            name: article_labels.BUTTONS[name]
            for name in versions.allowed_actions(displayed, me().role)
        },
    )


@screen.post("/<slug>/draft")
@may("article.write")
def begin_draft(slug: str) -> Response:
    """Begin a draft as a copy of the version with the submitted `number`.

    Without such a version, it is a copy of the one in force, or else of the newest.
    """
    article = _article_or_404(slug)
    number = request.form.get("number", 0, parse_count)
    rows = articles.article_versions(article)
    source = next((row for row in rows if row.number == number), None)
    source = source or articles.version_in_force(article) or rows[0]
    return refusals.run_and_redirect(
        url_for(".show_article", slug=slug), lambda: articles.begin_draft(article, me(), source)
    )


@screen.post("/<slug>/save")
@accepts_file(MAX_FORM_BYTES)
@may("article.write")
def save_draft(slug: str) -> Response:
    """Save the changes of a draft: texts, placement, added and removed files.

    `seen` in the form is the revision of the draft that the page shows, so that another user's
    changes are not overwritten; `gone` are the ids of the files to remove.
    """
    pending = articles.pending_version(_article_or_404(slug)) or abort(404)
    seen_revision, removed_files = (
        request.form.get("seen", 0, parse_count),
        request.form.getlist("gone", parse_count),
    )

    def store_draft() -> None:
        """Store the submitted draft; raise Refused if it is invalid, or if it has changed since."""
        uploads = article_form.uploaded_files()
        articles.save_draft(
            pending,
            me(),
            seen_revision,
            article_form.submitted_texts(),
            article_form.submitted_placement(),
            uploads,
            removed_files,
            article_form.selected_change_request(),
        )

    return refusals.run_and_redirect(url_for(".show_article", slug=slug), store_draft, _("Saved."))


@screen.post("/<slug>/discard")
@may("article.write")
def discard_draft(slug: str) -> Response:
    """Discard the draft; an article without another version is deleted with it.

    Redirects to the article, or to the list if there is no article any more.
    """
    pending = articles.pending_version(_article_or_404(slug)) or abort(404)
    try:
        article_remains = articles.discard_draft(
            pending, me(), request.form.get("seen", 0, parse_count)
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".show_article", slug=slug), error.code)
    return redirect(
        url_for(".show_article", slug=slug) if article_remains else url_for(".list_articles")
    )


@screen.post("/<slug>/place")
@may("article.write")
def save_place(slug: str) -> Response:
    """Change an article's section and topics, its owner and the date of its next review."""
    article = _article_or_404(slug)
    return refusals.run_and_redirect(
        url_for(".show_article", slug=slug),
        lambda: articles.change_placement(article, me(), article_form.submitted_placement()),
        _("Saved."),
    )


@screen.post("/<slug>/steps/<any(send, take_back, approve, put, withdraw, retire):action>")
@may("article.write", "article.approve")
def perform_step(slug: str, action: str) -> Response:
    """Perform a step of the workflow on the pending version, or else on the one in force.

    `action` is one of versions.WORKFLOW; the page says what was done, or why it was refused.
    """
    return _perform_workflow_action(slug, action)


@screen.post("/<slug>/steps/return")
@may("article.write", "article.approve")
def return_version(slug: str) -> Response:
    """Return the pending version to the manager, with a comment."""
    return _perform_workflow_action(slug, "return")


@screen.post("/send")
@may("article.write")
def send_drafts() -> Response:
    """Send several drafts to the ministry; each field `slug` gives the article of one.

    A message says how many were sent, and how many were not, because they are incomplete or in
    another state.
    """
    sent_count, skipped_count = 0, 0
    for slug in request.form.getlist("slug")[:MAX_DRAFTS_AT_ONCE]:
        article = articles.find_article(slug)
        pending = articles.pending_version(article) if article else None
        if not pending:
            continue
        try:
            articles.change_version_status("send", pending, me(), pending.revision)
            sent_count += 1
        except Refused:
            skipped_count += 1
    flash(
        _(
            "Sent to the ministry: %(sent)s; not sent: %(left)s.",
            sent=sent_count,
            left=skipped_count,
        )
    )
    return redirect(url_for(".list_articles"))


@screen.get("/<slug>/versions/<int:number>")
@may("article.read")
def show_version(slug: str, number: int) -> str:
    """Show a version as readers see it, and how it differs from the version `against`.

    `against` is a version's number; by default that is the previous version. If there is no such
    version, no differences are shown.
    """
    article = _article_or_404(slug)
    displayed = articles.find_version(article, number) or abort(404)
    rows = articles.article_versions(article)
    other_number = request.args.get("against", max(1, number - 1), parse_count)
    other = articles.find_version(article, other_number)
    return render_template(
        "articles/version.html",
        **article_contexts.version_context(displayed),
        other=other,
        versions=rows,
        differences=article_contexts.difference_rows(other, displayed) if other else [],
    )


@screen.post("/preview")
@may("article.write")
def preview_text() -> Response:
    """Return the HTML of a text that is being written, as readers will see it; nothing is stored.

    For an Uzbek text, `other` is the same text in the other script, Latin or Cyrillic; for a
    Russian one, it is "".
    """
    body = require_json_object()
    text, language = str(body.get("text", "")), str(body.get("language", ""))
    if language not in wording.LANGUAGES:
        abort(422)
    result = {"html": markdown.render_html(text), "other": ""}
    if language == "uz":
        script_code = wording.detect_script(markdown.plain_text(text))
        respell = (
            script.transliterate_to_latin
            if script_code == "Cyrl"
            else lambda line: script.transliterate_for_locale(line, "uz_Cyrl")
        )
        result["other"] = markdown.render_html(text, respell)
    return jsonify(**result)


@screen.get("/use")
@may("article.use")
def show_article_usage() -> str:
    """Show how articles were used in the last `days`: openings, usefulness, failed searches."""
    days = request.args.get("days", PERIOD_DAYS[0], parse_count)
    days = days if days in PERIOD_DAYS else PERIOD_DAYS[0]
    return render_template(
        "articles/use.html",
        days=days,
        periods=PERIOD_DAYS,
        **article_contexts.usage_context(dt.timedelta(days=days)),
    )


def _perform_workflow_action(slug: str, action: str) -> Response:
    """Perform an action of versions.WORKFLOW on the pending version, or else on the one in force.

    Redirects to the article, which says what was done or why it was refused. Aborts with 404 if
    there is no such article or version. To put a version in force, the form may have a time.
    """
    article = _article_or_404(slug)
    row = articles.pending_version(article) or articles.version_in_force(article) or abort(404)
    since = typed_times.entered_time() if action == "put" else None
    if isinstance(since, str):  # the code of a refusal
        return refusals.redirect_back(url_for(".show_article", slug=slug), since, "todo")
    seen_revision, text = request.form.get("seen", 0, parse_count), request.form.get("text", "")

    def apply_step() -> None:
        """Perform the action; raise Refused if it is not possible."""
        articles.change_version_status(action, row, me(), seen_revision, text, since)

    return refusals.run_and_redirect(
        url_for(".show_article", slug=slug),
        apply_step,
        str(article_labels.STEP_MESSAGES[action]),
        refusal_anchor="todo",
    )


def _article_or_404(slug: str) -> "Article":
    """Return the article with this slug; abort with 404 if there is no such article."""
    return articles.find_article(slug) or abort(404)
