"""Templates of the SMS that users write by hand: the list, and editing."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.core.outbox import part_count
from appliance.core.refusals import Refused
from appliance.messaging.notices import templates, texts
from appliance.messaging.notices.templates import Template
from appliance.messaging.sms import rules
from appliance.web.shared import message_labels
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.request_data import parse_count, require_json_object

if TYPE_CHECKING:
    from appliance.models import SmsTemplate

screen = Blueprint("sms_templates", __name__, url_prefix="/notices/templates")


@screen.get("")
@may("notice.change")
def list_templates() -> str:
    """Show all templates, including retired ones, and a form for a new one."""
    return _render_page(Template("", "", "", len(templates.list_templates(with_retired=True)) + 1))


@screen.post("")
@may("notice.change")
def add_template() -> Response:
    """Save a new template."""
    return _store_template(None)


@screen.get("/<int:number>")
@may("notice.change")
def show_template(number: int) -> str:
    """Show one template in the form, to be edited."""
    row = _template_or_404(number)
    return _render_page(Template(row.name, row.uz, row.ru, row.position, row.active), row)


@screen.post("/<int:number>")
@may("notice.change")
def save_template(number: int) -> Response:
    """Save one template; it is retired unless the field `active` is submitted."""
    return _store_template(_template_or_404(number))


@screen.post("/preview")
@may("notice.change")
def preview_text() -> Response:
    """Return a sample of a text being written, its size and why it is refused, as JSON.

    `trouble` is "" if the text is accepted, or still empty.
    """
    payload = require_json_object()
    language, text = str(payload.get("language")), str(payload.get("text", ""))
    if language not in texts.LANGUAGES:
        abort(422)
    trouble = ""
    try:
        templates.check_template(site(), language, text)
    except Refused as error:
        trouble = error.code if text.strip() else ""
    sample = templates.sample_text(site(), language, text)
    return jsonify(
        sample=sample,
        size=_size_text(sample),
        trouble=str(message_labels.TEXT_TROUBLES.get(trouble, "")),
    )


def _size_text(text: str) -> str:
    """Return the number of SMS parts of a text written by hand, with their price if known."""
    parts = part_count(text) if text else 0
    return message_labels.size_text(parts, rules.manual_message_price(site(), parts))


def _store_template(row: "SmsTemplate | None") -> Response:
    """Store the submitted template in `row`, or without it as a new one, and redirect.

    If it is refused, redirects to its form, which shows the reason.
    """
    form_url = url_for(".show_template", number=row.id) if row else url_for(".list_templates")
    try:
        template = templates.save_template(
            site(), _submitted_template(request.form, row), me().login, row
        )
    except Refused as error:
        return refusals.redirect_back(form_url, error.code)
    flash(_("Saved: %(name)s", name=template.name))
    return redirect(url_for(".list_templates"))


def _submitted_template(form: MultiDict[str, str], row: "SmsTemplate | None") -> Template:
    """Return the template that was typed in the form; a new one (no `row`) is always active."""
    return Template(
        name=form.get("name", ""),
        uz=form.get("uz", ""),
        ru=form.get("ru", ""),
        position=min(form.get("position", 0, parse_count), 10_000),
        active=row is None or "active" in form,
    )


def _template_or_404(number: int) -> "SmsTemplate":
    """Return the template with this id; abort with 404 if there is no such template."""
    return templates.find_template(number) or abort(404)


def _render_page(template: Template, edited_row: "SmsTemplate | None" = None) -> str:
    """Render the page: all templates, and a form with `template` or with what was refused.

    `edited_row` is the template that the form changes, unless it adds one.
    """
    previous = refusals.latest_refusal()
    form = _submitted_template(previous.values, edited_row) if previous else template
    samples = {
        language: templates.sample_text(site(), language, getattr(form, language))
        for language in texts.LANGUAGES
    }
    entries: list[dict[str, Any]] = [
        {"template": row, "size": _size_text(templates.sample_text(site(), "uz", row.uz))}
        for row in templates.list_templates(with_retired=True)
    ]
    return render_template(
        "sms_templates/page.html",
        every=entries,
        typed=form,
        one=edited_row,
        samples=samples,
        sizes={language: _size_text(text) for language, text in samples.items()},
        placeholders=templates.PLACEHOLDERS,
        spoken=CALL_LANGUAGES,
        trouble=message_labels.TEXT_TROUBLES.get(previous.trouble, ""),
    )
