"""The editing of the forms by the manager: fields, a draft with a preview, and versions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.casework import catalogs, forms
from appliance.casework.forms import checks, comparing, customer_text, definition, editing
from appliance.core.i18n import LOCALES
from appliance.core.refusals import Refused
from appliance.people import accounts, rights
from appliance.web.settings import changes
from appliance.web.settings import form_labels as words
from appliance.web.shared.form_fields import doubts_context, fields_context
from appliance.web.shell import refusals, typed_times
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count, require_json_object

if TYPE_CHECKING:
    from appliance.models import FormVersion

screen = Blueprint("form_versions", __name__, url_prefix="/forms")

_FORM_CONVERTER = "<any('1', '2'):form>"
_BLANK_ANSWERS = 2  # blank rows for more answers on the page of a field


@screen.get("")
@may("form.read")
def open_first_form() -> Response:
    """Redirect to form №1, the start page of the forms."""
    return redirect(url_for(".show_form", form=forms.APPEAL_FORM))


@screen.get(f"/{_FORM_CONVERTER}")
@may("form.read")
def show_form(form: str) -> str:
    """Show a form's fields and versions.

    The fields are those of the pending version (a draft, or a version planned for a later time) if
    there is one, otherwise of the version in force.
    """
    pending, refusal = editing.pending_version(form), refusals.latest_refusal()
    displayed = forms.stored_definition(pending) if pending else forms.definition_in_force(form)
    return render_template(
        "forms/page.html",
        **_common_context(form, pending),
        definition=displayed,
        shown=comparing.field_changes(forms.definition_in_force(form), displayed),
        in_force=forms.definition_in_force(form),
        differences=customer_text.customer_differences(displayed),
        versions=editing.list_versions(form),
        people=accounts.display_names(),
        trouble=refusals.trouble_message(words.TROUBLES, refusal.trouble),
        typed=refusal.values,
    )


@screen.post(f"/{_FORM_CONVERTER}/draft")
@may("form.change")
def begin_draft(form: str) -> Response:
    """Begin a draft from the version in force, or from an earlier one (`number`)."""
    number = request.form.get("number", None, parse_count)
    if number is not None and not editing.find_version(form, number):
        abort(404)
    return refusals.run_and_redirect(
        _form_url(form), lambda: editing.begin_draft(form, me().login, number)
    )


@screen.post(f"/{_FORM_CONVERTER}/draft/<any(discard, withdraw):what>")
@may("form.change")
def drop_draft(form: str, what: str) -> Response:
    """Discard the draft, or turn a version planned for a later time back into a draft.

    This is refused if somebody has changed the draft since the user opened the page.
    """
    action = {"discard": editing.discard_draft, "withdraw": editing.withdraw_planned_version}[what]
    return refusals.run_and_redirect(
        _form_url(form), lambda: action(form, _revision_seen(), me().login)
    )


@screen.post(f"/{_FORM_CONVERTER}/draft/put")
@may("form.change")
def put_draft_in_force(form: str) -> Response:
    """Put the draft in force, now or from the date and time that were typed."""
    since = typed_times.entered_time()
    if isinstance(since, str):  # the code of a refusal
        return refusals.redirect_back(url_for(".show_form", form=form), since)
    before = forms.definition_in_force(form).version

    def put_in_force() -> None:
        """Put the draft in force and record that in the change request that the form names."""
        version = editing.publish_draft(form, since, _revision_seen(), me().login)
        numbers = {"version": str(before)}, {"version": str(version.number)}
        changes.link_to_request("form", f"{form}/{version.number}", "", *numbers)

    return refusals.run_and_redirect(_form_url(form), put_in_force, _("Saved."))


@screen.get(f"/{_FORM_CONVERTER}/fields/new")
@may("form.change")
def show_new_field(form: str) -> str:
    """Show the page on which a new field of the draft is entered."""
    return _render_field(form, None)


@screen.post(f"/{_FORM_CONVERTER}/fields")
@may("form.change")
def add_field(form: str) -> Response:
    """Add a field to the draft."""
    return _save_field(
        form,
        url_for(".show_new_field", form=form),
        lambda entry: editing.add_field(form, entry, _revision_seen(), me().login),
    )


@screen.get(f"/{_FORM_CONVERTER}/fields/<name>")
@may("form.change")
def show_field(form: str, name: str) -> str:
    """Show the page on which a field of the draft is edited."""
    return _render_field(form, _pending_field(form, name))


@screen.post(f"/{_FORM_CONVERTER}/fields/<name>")
@may("form.change")
def change_field(form: str, name: str) -> Response:
    """Change a field of the draft."""
    field_url = url_for(".show_field", form=form, name=name)
    return _save_field(
        form,
        field_url,
        lambda entry: editing.change_field(form, name, entry, _revision_seen(), me().login),
    )


@screen.post(f"/{_FORM_CONVERTER}/fields/<name>/<any(up, down, remove):what>")
@may("form.change")
def move_field(form: str, name: str, what: str) -> Response:
    """Move a field of the draft up or down by one place, or remove it."""
    if what == "remove":
        return refusals.run_and_redirect(
            _form_url(form), lambda: editing.remove_field(form, name, _revision_seen(), me().login)
        )
    return refusals.run_and_redirect(
        _form_url(form),
        lambda: editing.move_field(form, name, what == "down", _revision_seen(), me().login),
        anchor=f"field-{name}",
    )


@screen.get(f"/{_FORM_CONVERTER}/preview")
@may("form.read")
def show_preview(form: str) -> str:
    """Show the form as the operator will see it; nothing that is typed there is stored."""
    pending = editing.pending_version(form)
    displayed = forms.stored_definition(pending) if pending else forms.definition_in_force(form)
    initial_values = {field.name: field.given for field in displayed.fields if field.given}
    return render_template(
        "forms/preview.html",
        **_common_context(form, pending),
        **fields_context(displayed, initial_values, is_new=True),
    )


@screen.post(f"/{_FORM_CONVERTER}/preview")
@may("form.read")
def check_preview(form: str) -> Response:
    """Return the warnings for the values typed in the preview, as JSON; nothing is stored."""
    values = require_json_object().get("values")
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        abort(422)
    pending = editing.pending_version(form)
    displayed = forms.stored_definition(pending) if pending else forms.definition_in_force(form)
    return jsonify(**doubts_context(displayed, values))


@screen.get(f"/{_FORM_CONVERTER}/versions/<int:number>")
@may("form.read")
def show_version(form: str, number: int) -> str:
    """Show a version: its fields, and how it differs from another version (`against`).

    By default it is compared with the previous one.
    """
    version_row = editing.find_version(form, number) or abort(404)
    against = request.args.get("against", max(1, number - 1), parse_count)
    other_row = editing.find_version(form, against) or abort(404)
    displayed = forms.stored_definition(version_row)
    return render_template(
        "forms/version.html",
        **_common_context(form, editing.pending_version(form)),
        kept=version_row,
        other=other_row,
        definition=displayed,
        shown=comparing.field_changes(forms.stored_definition(other_row), displayed),
        in_force=forms.definition_in_force(form),
        versions=editing.list_versions(form),
        people=accounts.display_names(),
    )


def _common_context(form: str, pending: "FormVersion | None") -> dict[str, Any]:
    """Return the template context that all pages of a form share.

    `form` is its number, `pending` its draft or its version planned for a later time, if any: in
    the context it is `to_come`, and `mark` its fingerprint. `own` are the names of the values of
    fields that are part of the product.
    """
    return {
        "form": form,
        "titles": [
            (form_code, forms.definition_in_force(form_code).title[locale()])
            for form_code in forms.FORMS
        ],
        "to_come": pending,
        "mark": editing.version_fingerprint(pending) if pending else "",
        "is_draft": bool(pending and pending.since is None),
        "may_change": rights.has_right(me(), "form.change"),
        "own": forms.product_definition(form).value_names,
        "words": words,
        "list_names": words.list_names_by_code(),
        "documents": dict(words.document_choices()),
        "topic_names": catalogs.labels_by_code("direction", locale()),
    }


def _render_field(form: str, current_field: forms.Field | None) -> str:
    """Render the page of a field of the draft; without `current_field`, of a new field.

    `is_own`: the field is part of the product; `is_kept`: it was in force in some version, so that
    its kind cannot be changed; `wanted` are the values shown in the page's form. Aborts with 404 if
    there is no draft.
    """
    pending, refusal = editing.pending_version(form), refusals.latest_refusal()
    if not pending or pending.since is not None:
        abort(404)
    entry = (
        _field_entry(refusal.values)
        if refusal
        else (definition.field_entry(current_field) if current_field else {})
    )
    blank = [dict.fromkeys(("code", *LOCALES), "")] * _BLANK_ANSWERS
    return render_template(
        "forms/field.html",
        **_common_context(form, pending),
        field=current_field,
        is_own=bool(
            current_field and forms.product_definition(form).find_field(current_field.name)
        ),
        is_kept=bool(current_field and editing.is_ever_published(current_field.name)),
        wanted=entry,
        options=(entry.get("options", []) + blank)[: checks.MOST_OPTIONS],
        lists=[(code, words.list_names_by_code()[code]) for code in editing.available_lists()],
        topics=catalogs.item_choices("direction", locale()),
        trouble=refusals.trouble_message(words.TROUBLES, refusal.trouble),
    )


def _pending_field(form: str, name: str) -> forms.Field:
    """Return a field of the pending version by its name; abort with 404 if it has no such field."""
    pending = editing.pending_version(form) or abort(404)
    field_found = forms.stored_definition(pending).find_field(name)
    return field_found if field_found and field_found.name == name else abort(404)


def _field_entry(form_data: MultiDict[str, str]) -> dict[str, Any]:
    """Return the field that was typed, as a dictionary like a field of a stored definition.

    `form_data` is the submitted form of the field's page.
    """
    options = [
        {"code": code} | {n: text.strip() for n, text in zip(LOCALES, texts, strict=True)}
        for code, *texts in zip(
            *(form_data.getlist(f"option-{name}") for name in ("code", *LOCALES)), strict=False
        )
    ]
    kind, source = form_data.get("kind", ""), form_data.get("list", "")
    return {
        "kind": kind,
        "label": {name: form_data.get(f"label-{name}", "").strip() for name in LOCALES},
        "help": {
            name: text for name in LOCALES if (text := form_data.get(f"help-{name}", "").strip())
        },
        "required": "required" in form_data,
        "screen_only": "screen_only" in form_data,
        "list": form_data.get("place", "") if kind == "place" else source if kind == "list" else "",
        "document": form_data.get("document", ""),
        "options": [option for option in options if any(option[name] for name in LOCALES)],
        "asked_of": form_data.get("asked_of", ""),
        "topics": form_data.getlist("topics"),
        "personal": "personal" in form_data,
        "ministry": form_data.get("ministry", "").strip(),
    }


def _save_field(form: str, field_url: str, save: Callable[[dict[str, Any]], object]) -> Response:
    """Pass the typed field to `save`, and redirect to the form's page.

    If the field is refused, redirects to `field_url`.
    """
    try:
        save(_field_entry(request.form))
    except Refused as refused:
        return refusals.redirect_back(field_url, refused.code)
    flash(_("Saved."))
    return redirect(url_for(".show_form", form=form))


def _form_url(form: str) -> str:
    """Return the address of the page of the form with this number."""
    return url_for(".show_form", form=form)


def _revision_seen() -> str:
    """Return the fingerprint of the draft as the user saw it on the page that was submitted.

    A change to a draft that differs from it is refused: somebody else has changed the draft.
    """
    return request.form.get("seen", "")
