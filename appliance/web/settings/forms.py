"""The forms as the manager makes them: fields, a draft that is tried, versions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.casework import catalogs, forms
from appliance.casework.forms import checks, comparing, definition, editing
from appliance.core.i18n import LOCALES
from appliance.people import accounts, rights
from appliance.web.settings import changes
from appliance.web.settings import form_words as words
from appliance.web.shell import moments, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded, document
from appliance.web.workplace.forms import doubts, drawn

if TYPE_CHECKING:
    from appliance.models import FormVersion

screen = Blueprint("form_versions", __name__, url_prefix="/forms")

_FORM = "<any('1', '2'):form>"
_FRESH = 2  # blank answers to type into
_REFUSED = (editing.EditingError, forms.DefinitionError)


@screen.get("")
@may("form.read")
def first() -> Response:
    """Where the pages of forms begin: form №1."""
    return redirect(url_for(".page", form=forms.APPEAL))


@screen.get(f"/{_FORM}")
@may("form.read")
def page(form: str) -> str:
    """The fields of a form, of the version to come when there is one, and its versions."""
    to_come, was = editing.pending(form), refusals.latest()
    shown = forms.definition_of(to_come) if to_come else forms.in_force(form)
    return render_template(
        "forms/page.html",
        **_common(form, to_come),
        definition=shown,
        shown=comparing.changes(forms.in_force(form), shown),
        in_force=forms.in_force(form),
        versions=editing.versions(form),
        people=accounts.names(),
        trouble=words.trouble(was.trouble),
        typed=was.values,
    )


@screen.post(f"/{_FORM}/draft")
@may("form.change")
def begin(form: str) -> Response:
    """Begin a draft, of the version in force or of an earlier one (`number`)."""
    number = request.form.get("number", None, bounded)
    if number is not None and not editing.version(form, number):
        abort(404)
    return _done(form, lambda: editing.begin(form, me().login, number))


@screen.post(f"/{_FORM}/draft/<any(discard, withdraw):what>")
@may("form.change")
def drop(form: str, what: str) -> Response:
    """Throw the draft away, or make a draft of a planned version again."""
    do = {"discard": editing.discard, "withdraw": editing.withdraw}[what]
    return _done(form, lambda: do(form, _revision_seen(), me().login))


@screen.post(f"/{_FORM}/draft/put")
@may("form.change")
def put(form: str) -> Response:
    """Put the draft in force, now or from a day and an hour."""
    since = moments.typed()
    if isinstance(since, str):
        return refusals.back(url_for(".page", form=form), since)
    before = forms.in_force(form).version

    def put_in_force() -> None:
        made = editing.put_in_force(form, since, _revision_seen(), me().login)
        numbers = {"version": str(before)}, {"version": str(made.number)}
        changes.link("form", f"{form}/{made.number}", "", *numbers)

    return _done(form, put_in_force, _("Saved."))


@screen.get(f"/{_FORM}/fields/new")
@may("form.change")
def new(form: str) -> str:
    """A field to be added."""
    return _field(form, None)


@screen.post(f"/{_FORM}/fields")
@may("form.change")
def add(form: str) -> Response:
    """Add a field to the draft."""
    return _saved(
        form, url_for(".new", form=form), lambda w: editing.add(form, w, _revision_seen(), _by())
    )


@screen.get(f"/{_FORM}/fields/<name>")
@may("form.change")
def field(form: str, name: str) -> str:
    """A field of the draft, to be changed."""
    return _field(form, _found(form, name))


@screen.post(f"/{_FORM}/fields/<name>")
@may("form.change")
def change(form: str, name: str) -> Response:
    """Change a field of the draft."""
    there = url_for(".field", form=form, name=name)
    return _saved(form, there, lambda w: editing.change(form, name, w, _revision_seen(), _by()))


@screen.post(f"/{_FORM}/fields/<name>/<any(up, down, remove):what>")
@may("form.change")
def place(form: str, name: str, what: str) -> Response:
    """Move a field by one place, or leave an added one out."""
    if what == "remove":
        return _done(form, lambda: editing.remove(form, name, _revision_seen(), _by()))
    return _done(
        form, lambda: editing.move(form, name, what == "down", _revision_seen(), _by()), anchor=name
    )


@screen.get(f"/{_FORM}/preview")
@may("form.read")
def preview(form: str) -> str:
    """The form as the operator will see it; nothing of it is kept."""
    to_come = editing.pending(form)
    shown = forms.definition_of(to_come) if to_come else forms.in_force(form)
    given = {one.name: one.given for one in shown.fields if one.given}
    return render_template(
        "forms/preview.html", **_common(form, to_come), **drawn(shown, given, fresh=True)
    )


@screen.post(f"/{_FORM}/preview")
@may("form.read")
def try_out(form: str) -> Response:
    """What would be doubtful in a form that is tried: nothing of it is kept."""
    values = document().get("values")
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        abort(422)
    to_come = editing.pending(form)
    shown = forms.definition_of(to_come) if to_come else forms.in_force(form)
    return jsonify(**doubts(shown, values))


@screen.get(f"/{_FORM}/versions/<int:number>")
@may("form.read")
def version(form: str, number: int) -> str:
    """A version: its fields, and what it says otherwise than another (`against`)."""
    kept = editing.version(form, number) or abort(404)
    against = request.args.get("against", max(1, number - 1), bounded)
    other = editing.version(form, against) or abort(404)
    made = forms.definition_of(kept)
    return render_template(
        "forms/version.html",
        **_common(form, editing.pending(form)),
        kept=kept,
        other=other,
        definition=made,
        shown=comparing.changes(forms.definition_of(other), made),
        in_force=forms.in_force(form),
        versions=editing.versions(form),
        people=accounts.names(),
    )


def _common(form: str, to_come: "FormVersion | None") -> dict[str, Any]:
    return {
        "form": form,
        "titles": [(one, forms.in_force(one).title[locale()]) for one in forms.FORMS],
        "to_come": to_come,
        "mark": editing.mark(to_come) if to_come else "",
        "is_draft": bool(to_come and to_come.since is None),
        "may_change": rights.has(me(), "form.change"),
        "own": forms.product(form).names,
        "words": words,
        "list_names": words.list_names(),
        "documents": dict(words.documents()),
        "topic_names": catalogs.labels("direction", locale()),
    }


def _field(form: str, one: forms.Field | None) -> str:
    to_come, was = editing.pending(form), refusals.latest()
    if not to_come or to_come.since is not None:
        abort(404)
    wanted = _wanted(was.values) if was else (definition.entry_of(one) if one else {})
    blank = [dict.fromkeys(("code", *LOCALES), "")] * _FRESH
    return render_template(
        "forms/field.html",
        **_common(form, to_come),
        field=one,
        is_own=bool(one and forms.product(form).field(one.name)),
        is_kept=bool(one and editing.is_kept(one.name)),
        wanted=wanted,
        options=(wanted.get("options", []) + blank)[: checks.MOST_OPTIONS],
        lists=[(code, words.list_names()[code]) for code in editing.lists()],
        topics=catalogs.choices("direction", locale()),
        trouble=words.trouble(was.trouble),
    )


def _found(form: str, name: str) -> forms.Field:
    to_come = editing.pending(form) or abort(404)
    found = forms.definition_of(to_come).field(name)
    return found if found and found.name == name else abort(404)


def _wanted(sent: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed of a field, as it stands in a definition."""
    options = [
        {"code": code} | {n: text.strip() for n, text in zip(LOCALES, texts, strict=True)}
        for code, *texts in zip(
            *(sent.getlist(f"option-{name}") for name in ("code", *LOCALES)), strict=False
        )
    ]
    kind, source = sent.get("kind", ""), sent.get("list", "")
    return {
        "kind": kind,
        "label": {name: sent.get(f"label-{name}", "").strip() for name in LOCALES},
        "help": {name: text for name in LOCALES if (text := sent.get(f"help-{name}", "").strip())},
        "required": "required" in sent,
        "list": sent.get("place", "") if kind == "place" else source if kind == "list" else "",
        "document": sent.get("document", ""),
        "options": [one for one in options if any(one[name] for name in LOCALES)],
        "asked_of": sent.get("asked_of", ""),
        "topics": sent.getlist("topics"),
        "personal": "personal" in sent,
        "ministry": sent.get("ministry", "").strip(),
    }


def _saved(form: str, there: str, do: Callable[[dict[str, Any]], object]) -> Response:
    try:
        do(_wanted(request.form))
    except _REFUSED as refused:
        return refusals.back(there, refused.code)
    flash(_("Saved."))
    return redirect(url_for(".page", form=form))


def _done(form: str, do: Callable[[], object], told: str = "", anchor: str = "") -> Response:
    there = url_for(".page", form=form)
    try:
        do()
    except _REFUSED as refused:
        return refusals.back(there, refused.code)
    if told:
        flash(told)
    return redirect(f"{there}#field-{anchor}" if anchor else there)


def _revision_seen() -> str:
    return request.form.get("seen", "")


def _by() -> str:
    return me().login
