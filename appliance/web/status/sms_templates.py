"""Templates of the short messages that people write by hand: the list, and its upkeep."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.core.outbox import segments
from appliance.messaging.notices import templates, texts
from appliance.messaging.notices.templates import Template
from appliance.messaging.sms import rules
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.sent import bounded, document
from appliance.web.status import outbox

if TYPE_CHECKING:
    from appliance.models import SmsTemplate

screen = Blueprint("sms_templates", __name__, url_prefix="/notices/templates")


@screen.get("")
@may("notice.change")
def page() -> str:
    """Every template, and a form for a new one."""
    return _page(Template("", "", "", len(templates.templates(retired=True)) + 1))


@screen.post("")
@may("notice.change")
def add() -> Response:
    """Write a new template."""
    return _save(None)


@screen.get("/<int:number>")
@may("notice.change")
def template(number: int) -> str:
    """One template, to be changed."""
    one = _template(number)
    return _page(Template(one.name, one.uz, one.ru, one.position, one.active), one)


@screen.post("/<int:number>")
@may("notice.change")
def change(number: int) -> Response:
    """Change one template, or retire it."""
    return _save(_template(number))


@screen.post("/preview")
@may("notice.change")
def preview() -> Response:
    """How a text that is being written goes out, in how many messages, and what is wrong."""
    asked = document()
    language, text = str(asked.get("language")), str(asked.get("text", ""))
    if language not in texts.LANGUAGES:
        abort(422)
    trouble = ""
    try:
        templates.check(site(), language, text)
    except texts.TextError as error:
        trouble = error.code if text.strip() else ""
    sample = templates.sample(site(), language, text)
    return jsonify(
        sample=sample, size=_size(sample), trouble=str(outbox.TEXT_TROUBLES.get(trouble, ""))
    )


def _size(text: str) -> str:
    parts = segments(text) if text else 0
    return outbox.size(parts, rules.price(site(), parts))


def _save(one: "SmsTemplate | None") -> Response:
    there = url_for(".template", number=one.id) if one else url_for(".page")
    try:
        saved = templates.save(site(), _typed(request.form, one), me().login, one)
    except texts.TextError as error:
        return refusals.back(there, error.code)
    flash(_("Saved: %(name)s", name=saved.name))
    return redirect(url_for(".page"))


def _typed(form: MultiDict[str, str], one: "SmsTemplate | None") -> Template:
    return Template(
        name=form.get("name", ""),
        uz=form.get("uz", ""),
        ru=form.get("ru", ""),
        position=min(form.get("position", 0, bounded), 10_000),
        active=one is None or "active" in form,
    )


def _template(number: int) -> "SmsTemplate":
    return templates.template(number) or abort(404)


def _page(shown: Template, one: "SmsTemplate | None" = None) -> str:
    was = refusals.latest()
    typed = _typed(was.values, one) if was else shown
    samples = {
        language: templates.sample(site(), language, getattr(typed, language))
        for language in texts.LANGUAGES
    }
    every: list[dict[str, Any]] = [
        {"template": row, "size": _size(templates.sample(site(), "uz", row.uz))}
        for row in templates.templates(retired=True)
    ]
    return render_template(
        "sms_templates/page.html",
        every=every,
        typed=typed,
        one=one,
        samples=samples,
        sizes={language: _size(text) for language, text in samples.items()},
        placeholders=templates.PLACEHOLDERS,
        spoken=CALL_LANGUAGES,
        trouble=outbox.TEXT_TROUBLES.get(was.trouble, ""),
    )
